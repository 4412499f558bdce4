"""What nodes say of blocks and their events: what cannot be is refused, also what is left out."""

from typing import Any

import pytest
from msgspec.structs import replace

from engine.chains.following.blooms import bits_of, bloom_of
from engine.chains.following.headers import (
    Header,
    is_suspect,
    parse_header,
    parse_logs,
    parse_whole,
)
from engine.chains.ports import BlockRef
from engine.chains.rpc.parsing import parse_log
from engine.domain.errors import BadValueError

SYNC, OTHER = b"\x01" * 32, b"\x02" * 32
HASH = "0x" + "ab" * 32


def said_log(index: int = 0, **changed: Any) -> Any:
    return {
        "address": "0x" + "11" * 20,
        "topics": ["0x" + SYNC.hex()],
        "data": "0x",
        "blockNumber": "0x64",
        "blockHash": HASH,
        "transactionHash": "0x" + "22" * 32,
        "logIndex": hex(index),
        "removed": False,
        **changed,
    }


def header_of(*logs: Any) -> Header:
    ref = BlockRef(number=100, hash=HASH, parent_hash="0x" + "cd" * 32, made_at_s=1)
    return Header(ref=ref, bloom=bloom_of(map(parse_log, logs)))


def said_header(**changed: Any) -> Any:
    return {
        "number": "0x64",
        "hash": HASH,
        "parentHash": "0x" + "cd" * 32,
        "timestamp": "0x1",
        "logsBloom": "0x" + "00" * 256,
        **changed,
    }


def test_a_bloom_filter_is_that_of_the_yellow_paper() -> None:
    # Keccak-256 of nothing begins with c5d2 4601 86f7: bits 0x5d2, 0x601 and 0x6f7 of 2,048.
    assert bits_of(b"") == 1 << 0x5D2 | 1 << 0x601 | 1 << 0x6F7


@pytest.mark.parametrize(
    "changed",
    [
        {"logsBloom": None},
        {"logsBloom": "0x00"},
        {"logsBloom": "0x" + "00" * 257},
        {"number": hex(2**60)},
        {"number": "100"},
        {"hash": "0xabcd"},
        {"parentHash": HASH},
        {"timestamp": hex(2**63)},
    ],
)
def test_a_header_that_cannot_be_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(BadValueError):
        parse_header(said_header(**changed))


@pytest.mark.parametrize("said", [None, [], "0x", 7, {}])
def test_what_is_no_header_is_refused(said: Any) -> None:
    with pytest.raises(BadValueError):
        parse_header(said)


def test_events_come_in_their_order_and_each_once() -> None:
    said = [said_log(2), said_log(0), said_log(1), said_log(2)]

    logs = parse_logs(said, header_of(*said), {SYNC})

    assert [log.index for log in logs] == [0, 1, 2]


@pytest.mark.parametrize(
    "changed",
    [
        {"blockHash": "0x" + "ee" * 32},
        {"blockNumber": "0x65"},
        {"topics": ["0x" + OTHER.hex()]},
        {"topics": []},
        {"removed": True},
        {"logIndex": None},
        {"address": "0x" + "33" * 20},
        {"data": "0x1"},
        {"topics": ["0x" + SYNC.hex()] * 5},
    ],
)
def test_events_that_cannot_be_those_of_the_block_are_refused(changed: dict[str, Any]) -> None:
    header = header_of(said_log())

    with pytest.raises(BadValueError):
        parse_logs([said_log(**changed)], header, {SYNC})


@pytest.mark.parametrize("said", [None, {}, "0x", [None], [[]], [{}], [7] * 30_000])
def test_what_is_no_list_of_events_is_refused(said: Any) -> None:
    with pytest.raises(BadValueError):
        parse_logs(said, header_of(), {SYNC})


def test_two_events_at_one_place_are_refused() -> None:
    both = [said_log(1), said_log(1, data="0x01")]

    with pytest.raises(BadValueError, match="two events"):
        parse_logs(both, header_of(*both), {SYNC})


def test_an_empty_answer_is_doubted_where_the_filter_has_the_topic() -> None:
    assert is_suspect((), header_of(said_log()), {SYNC})
    assert not is_suspect((), header_of(), {SYNC})
    assert not is_suspect((), header_of(said_log()), {OTHER})


def test_a_whole_block_has_exactly_its_filter_or_is_a_lie() -> None:
    other = said_log(1, topics=["0x" + OTHER.hex()], address="0x" + "44" * 20)
    bare = said_log(2, topics=[], address="0x" + "55" * 20)
    header = header_of(said_log(), other, bare)

    assert len(parse_whole([said_log(), other, bare], header, {SYNC})) == 1
    for left in ([said_log(), other], [other, bare], [], [said_log(), bare]):
        with pytest.raises(BadValueError, match="bloom filter"):
            parse_whole(left, header, {SYNC})


def test_without_a_filter_nothing_is_doubted() -> None:
    header = replace(header_of(), bloom=None)

    assert len(parse_logs([said_log()], header, {SYNC})) == 1
    assert not is_suspect((), header, {SYNC})
    assert parse_header(said_header(logsBloom=None), has_bloom=False).bloom is None
