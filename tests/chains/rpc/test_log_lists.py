"""Events read all at once are what each is by itself, or are refused by the same sentence."""

import random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.ports import Json
from engine.chains.rpc import checks, log_lists
from engine.chains.rpc.block_logs import BlockLogs, sense_of
from engine.chains.rpc.log_lists import (
    LogAnswer,
    WireLog,
    are_of_one_block,
    kinds_of,
    read_logs,
)
from engine.chains.rpc.messages import Asked, answers_to, decode
from engine.chains.rpc.parsing import parse_log
from engine.chains.rpc.troubles import ProviderError
from engine.domain.errors import BadValueError
from tests.chains.rpc.test_parsing import EVENT, HASH, junk

SPOILS: list[Any] = [
    *(None, True, 7, "", "0x", "0X1f", "0x1", "0x0x", "0xg", "0x 1", "1" * 42, [], {}, ["0x"]),
    *("0x" + "g" * 40, "0x" + "g" * 64, "0x" + " " * 40, "0x" * 21, "0x" * 33, "0xff 0xff"),
    *("0x" + "f" * 39, "0x" + "f" * 41, "0x" + "f" * 63, " 0x" + "f" * 39, "f0x" + "f" * 39),
]


def events(rng: random.Random, count: int) -> list[dict[str, Any]]:
    """Make events of one block, some in capitals, of some topics and some bytes."""

    def text(length: int) -> str:
        digits = rng.randbytes(length).hex()
        return "0x" + (digits.upper() if rng.random() < 0.2 else digits)

    return [
        {
            **EVENT,
            "address": text(20),
            "transactionHash": text(32),
            "data": text(rng.choice((0, 1, 32, 64, 64, 64))),
            "topics": [HASH, *(text(32) for _ in range(rng.randrange(4)))][: rng.randrange(1, 5)],
            "logIndex": hex(index),
            "removed": rng.choice((False, False, False, None)) if count == 1 else False,
        }
        for index in sorted(rng.sample(range(500), count))
    ]


def outcome(said: list[Json], *, at_once: bool) -> object:
    try:
        return read_logs(said) if at_once else tuple(map(parse_log, said))
    except BadValueError as error:
        return str(error)


def as_text(said: Any) -> object:
    """What becomes of events that come as the text of an answer."""
    asked: list[Asked] = [("eth_getLogs", ({"blockHash": HASH.lower(), "topics": []},))]
    text = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "result": said})
    try:
        [answer] = answers_to(asked, 1, decode(text, asked))
        assert not isinstance(answer, ProviderError)
        return tuple(read_logs(answer))
    except BadValueError as error:
        return str(error)


@pytest.mark.parametrize("seed", range(20))
def test_events_that_are_read_at_once_are_what_each_is_by_itself(seed: int) -> None:
    said = events(random.Random(seed), 1 + seed)

    assert log_lists._at_once([*said]) == tuple(map(parse_log, said))
    assert as_text(said) == tuple(map(parse_log, said))


@pytest.mark.parametrize("name", list(EVENT))
def test_one_that_is_wrong_among_many_is_refused_as_it_is_alone(name: str) -> None:
    rng = random.Random(name)
    for spoil in SPOILS:
        said: list[Any] = events(rng, 5)
        said[rng.randrange(5)][name] = spoil
        wanted = outcome(said, at_once=False)
        assert outcome(said, at_once=True) == as_text(said) == wanted, spoil
        del said[2][name]
        assert outcome(said, at_once=True) == outcome(said, at_once=False)


@given(st.dictionaries(st.sampled_from(list(EVENT)), junk, min_size=1), st.integers(0, 3))
def test_junk_in_one_is_refused_as_it_is_alone(spoilt: dict[str, Any], at: int) -> None:
    said: list[Any] = events(random.Random(at), 4)
    said[at] |= spoilt
    plain = msgspec.json.decode(
        msgspec.json.encode(said)
    )  # numbers that are none are lost on the way

    assert outcome(said, at_once=True) == outcome(said, at_once=False)
    assert as_text(said) == outcome(plain, at_once=False)


@pytest.mark.parametrize("name", ["address", "transactionHash", "data"])
def test_characters_that_are_missing_in_one_are_not_made_up_for_by_another(name: str) -> None:
    rng = random.Random(1)
    length = {"address": 40, "transactionHash": 64, "data": 128}[name]
    for less, more in ((1, 1), (3, 3), (1, 3), (length + 2, length + 2)):
        said: list[Any] = events(rng, 3)
        whole = "0x" + "1" * length
        said[0][name] = whole[: len(whole) - less]
        said[1][name] = (whole + whole)[: len(whole) + more]
        assert outcome(said, at_once=True) == outcome(said, at_once=False)
        assert isinstance(outcome(said, at_once=True), str)


def test_junk_that_is_no_event_is_refused_and_no_list_of_them_is_told() -> None:
    answers: list[Any] = [None, "0x", {}, [None], [EVENT, 7], [[EVENT]], ["0x"]]
    for said in answers:
        with pytest.raises(BadValueError):
            read_logs(said)
    assert read_logs([]) == ()


def test_an_answer_is_read_once_whoever_asks() -> None:
    said: list[Json] = [*events(random.Random(3), 9)]
    asked: dict[str, Json] = {"blockHash": HASH.lower()}

    [answer] = checks.checked([("eth_getLogs", (asked,))], [said])

    assert isinstance(answer, LogAnswer)
    assert answer == said
    assert read_logs(answer) is answer.logs
    assert checks.parse_logs(answer, asked) is answer.logs
    assert [*answer.logs] == [*checks.parse_logs(said, asked)]


def test_events_are_of_one_block_in_their_order_and_none_twice() -> None:
    said = events(random.Random(5), 4)
    first, *rest = tuple(map(parse_log, said))

    assert are_of_one_block((first, *rest))
    assert not are_of_one_block(())
    assert not are_of_one_block((*rest, first))
    assert not are_of_one_block((first, first, *rest))
    for name, other in (("blockHash", "0x" + "1" * 64), ("blockNumber", "0x1b5")):
        assert not are_of_one_block((first, parse_log({**said[1], name: other})))
    assert kinds_of((first, parse_log({**said[1], "topics": []}))) == {first.topics[0], None}


def test_events_say_the_same_however_they_are_kept_and_in_whatever_order_they_were_told() -> None:
    said = events(random.Random(8), 6)
    asked: dict[str, Json] = {"blockHash": HASH.lower()}
    columns, mixed = read_logs([*said]), read_logs([*said[3:], *said[:3]])
    assert isinstance(columns, BlockLogs)
    senses = [sense_of(checks.parse_logs(LogAnswer(None, one), asked)) for one in (columns, mixed)]
    other = {**said[2], "data": "0x01"}

    assert senses[0] == senses[1] == sense_of(tuple(columns))
    assert len(set(senses)) == 1
    assert sense_of(read_logs([*said[:2], other, *said[3:]])) != senses[0]


def test_a_block_that_is_asked_for_with_its_header_is_read_so_too() -> None:
    said = events(random.Random(9), 3)
    asked: list[Asked] = [
        ("eth_getLogs", ({"blockHash": HASH.lower(), "topics": []},)),
        ("eth_getBlockByHash", (HASH.lower(), False)),
    ]
    one, two = {"id": 5, "result": said}, {"id": 6, "result": {"number": "0x1"}}
    for told in ([one, two], [two, one]):
        logs, header = answers_to(asked, 5, decode(msgspec.json.encode(told), asked))
        assert isinstance(logs, list)
        assert tuple(read_logs(logs)) == tuple(map(parse_log, said))
        assert header == {"number": "0x1"}
        assert isinstance(logs[0], WireLog) == (told[0] is one)
