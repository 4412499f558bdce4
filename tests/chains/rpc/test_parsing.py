"""What nodes say in hexadecimal becomes values, or is refused by one sentence."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.chains.ports import BlockRef, Log
from engine.chains.rpc.parsing import (
    parse_address,
    parse_block,
    parse_bytes,
    parse_hash,
    parse_log,
    parse_quantity,
)
from engine.domain.errors import BadValueError

HASH = "0x" + "Ab" * 32
# As Geth told it of block 0x1b4 in the execution-apis examples (CC0), shortened to what is read.
HEADER: dict[str, Any] = {
    "number": "0x1b4",
    "hash": "0xdc0818cf78f21a8e70579cb46a43643f78291264dda342ae31049421c82d21ae",
    "parentHash": "0xe99e022112df268087ea7eafaf4790497fd21dbeeb6bd7a1721df161a6657a54",
    "timestamp": "0x55ba467c",
}
EVENT: dict[str, Any] = {
    "address": "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
    "topics": [HASH, "0x" + "00" * 32],
    "data": "0x01ff",
    "blockNumber": "0x1b4",
    "blockHash": HASH,
    "transactionHash": "0x" + "CD" * 32,
    "logIndex": "0x7",
    "removed": False,
}
NO_NUMBERS = [
    *("0x", "0X1", "0x-1", "0x1 ", "0x1\n", "1", "0x\u0661", "0xg", "-0x1"),
    "0x" + "f" * 65,
]
junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=80)
    | st.sampled_from(NO_NUMBERS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


def test_a_header_is_a_block() -> None:
    assert parse_block(HEADER) == BlockRef(
        number=436,
        hash=HEADER["hash"],
        parent_hash=HEADER["parentHash"],
        made_at_s=1_438_271_100,
    )


def test_an_event_has_its_addresses_and_hashes_in_lower_case() -> None:
    assert parse_log(EVENT) == Log(
        address="0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2",
        topics=(b"\xab" * 32, bytes(32)),
        data=b"\x01\xff",
        block_number=436,
        block_hash="0x" + "ab" * 32,
        tx_hash="0x" + "cd" * 32,
        index=7,
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"removed": True},
        {"removed": "false"},
        {"address": HASH},
        {"address": None},
        {"topics": None},
        {"topics": [HASH] * 5},
        {"topics": ["0x00"]},
        {"topics": [None]},
        {"data": "0x0"},
        {"data": None},
        {"data": 5},
        {"blockNumber": None},
        {"blockNumber": "0x" + "f" * 64},
        {"blockHash": "0x00"},
        {"blockHash": None},
        {"transactionHash": "0x" + "0" * 63 + "g"},
        {"logIndex": "0x" + "f" * 20},
        {"logIndex": -1},
    ],
)
def test_an_event_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadValueError):
        parse_log({**EVENT, **wrong})


@pytest.mark.parametrize("name", ["number", "hash", "parentHash", "timestamp"])
@pytest.mark.parametrize("value", [None, 7, "", "0x", "0x" + "f" * 64 + "f", [], {}])
def test_a_header_that_cannot_be_is_refused(name: str, value: Any) -> None:
    with pytest.raises(BadValueError):
        parse_block({**HEADER, name: value})


@pytest.mark.parametrize("name", ["number", "timestamp"])
def test_an_absurd_number_is_refused(name: str) -> None:
    with pytest.raises(BadValueError):
        parse_block({**HEADER, name: "0x" + "f" * 64})


def test_a_block_is_not_its_own_parent() -> None:
    with pytest.raises(BadValueError):
        parse_block({**HEADER, "parentHash": HEADER["hash"]})


@given(junk)
def test_junk_is_refused_with_a_short_sentence_and_nothing_else_is_raised(value: Any) -> None:
    for parse in (parse_block, parse_log):
        with pytest.raises(BadValueError) as refused:
            parse(value)
        assert len(str(refused.value)) < 200
    for parse_text in (parse_hash, parse_address):
        with pytest.raises(BadValueError):
            parse_text(value, "it")


@given(st.dictionaries(st.sampled_from(list(EVENT)), junk, min_size=1))
def test_an_event_with_junk_in_it_is_refused_or_is_an_event(spoilt: dict[str, Any]) -> None:
    try:
        log = parse_log({**EVENT, **spoilt})
    except BadValueError:
        return
    assert 0 <= log.index < 2**24
    assert len(log.topics) <= 4


digits_or_nearly = st.lists(
    st.sampled_from(["0", "a", "F", "ab", "0x", " ", "\n", "_", "-", "g", "\u0661"])
    | st.text("0123456789abcdefABCDEF", min_size=8, max_size=16),
    max_size=6,
).map("".join)


@given(st.sampled_from(["0x", "0X", ""]), digits_or_nearly)
def test_only_what_nodes_write_is_a_number_or_bytes(prefix: str, digits: str) -> None:
    text = prefix + digits
    is_number = re.fullmatch("0x[0-9a-fA-F]{1,64}", text) is not None
    is_bytes = re.fullmatch("0x([0-9a-fA-F]{2})*", text) is not None
    assert _is_taken(parse_quantity, text) == is_number
    assert _is_taken(parse_bytes, text) == is_bytes


@pytest.mark.parametrize("junk", [" ", "\n\n", "g", "\u0661", "0x", "_"])
@pytest.mark.parametrize("name", ["address", "transactionHash", "data", "blockHash"])
def test_an_event_s_own_texts_are_held_to_every_character(name: str, junk: str) -> None:
    right = EVENT[name]
    for at in (2, len(right) - len(junk)):
        longer, as_long = (
            right[:at] + junk + right[at:],
            right[:at] + junk + right[at + len(junk) :],
        )
        for text in (longer, as_long, right[:-1], right[2:], "0X" + right[2:]):
            with pytest.raises(BadValueError):
                parse_log({**EVENT, name: text})
    with pytest.raises(BadValueError):
        parse_log({**EVENT, "address": EVENT["address"] + " ", "data": "0x 1"})


def _is_taken(parse: Any, value: Any) -> bool:
    try:
        parse(value, "it")
    except BadValueError:
        return False
    return True


@given(st.integers(0, 2**256 - 1))
def test_a_number_is_what_it_was(number: int) -> None:
    assert parse_quantity(hex(number), "it") == number


@given(st.binary())
def test_bytes_are_what_they_were(value: bytes) -> None:
    assert parse_bytes("0x" + value.hex(), "it") == value


def test_a_number_above_its_bound_is_refused() -> None:
    assert parse_quantity("0xa", "it", most=10) == 10
    with pytest.raises(BadValueError):
        parse_quantity("0xb", "it", most=10)
