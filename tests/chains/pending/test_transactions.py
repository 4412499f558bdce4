"""Transactions as nodes tell them, and the order in which blocks take them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.chains.pending.transactions import PendingTx, in_order, parse_pending
from engine.chains.ports import Json
from engine.domain.errors import BadValueError
from tests.effort import examples

TOLD: dict[str, Json] = {
    "blockHash": None,
    "hash": "0x" + "AB" * 32,
    "from": "0x" + "5E" * 20,
    "to": "0x" + "F1" * 20,
    "nonce": "0x7",
    "value": "0xde0b6b3a7640000",
    "input": "0x1234",
    "gasPrice": "0x64",
    "maxFeePerGas": "0x64",
    "maxPriorityFeePerGas": "0x3",
}


def tx(sender: str, nonce: int, tip: int, *, fee: int = 1_000) -> PendingTx:
    return PendingTx(
        hash=f"{sender}{nonce}",
        sender=sender,
        nonce=nonce,
        to="",
        value_raw=0,
        text=b"",
        fee_raw_max=fee,
        tip_raw_max=tip,
    )


def order(*waiting: PendingTx, base_fee_raw: int = 10) -> list[str]:
    return [one.hash for one in in_order(waiting, base_fee_raw=base_fee_raw)]


def test_a_transaction_is_read_in_lower_case() -> None:
    assert parse_pending(TOLD) == PendingTx(
        hash="0x" + "ab" * 32,
        sender="0x" + "5e" * 20,
        nonce=7,
        to="0x" + "f1" * 20,
        value_raw=10**18,
        text=b"\x12\x34",
        fee_raw_max=100,
        tip_raw_max=3,
    )


def test_an_old_form_pays_its_price_as_fee_and_tip() -> None:
    told = {name: value for name, value in TOLD.items() if not name.startswith("max")}

    read = parse_pending(told)

    assert read is not None
    assert (read.fee_raw_max, read.tip_raw_max) == (100, 100)


def test_what_is_in_a_block_does_not_wait() -> None:
    assert parse_pending(TOLD | {"blockHash": "0x" + "cd" * 32}) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"hash": "0x12"},
        {"from": None},
        {"to": "somebody"},
        {"nonce": "0x" + "f" * 17},
        {"value": -1},
        {"input": "0x123"},
        {"input": "0x" + "00" * 200_000},
        {"maxFeePerGas": "0x" + "f" * 30},
        {"maxPriorityFeePerGas": []},
    ],
)
def test_what_cannot_be_a_transaction_is_refused(wrong: dict[str, Json]) -> None:
    with pytest.raises(BadValueError):
        parse_pending(TOLD | wrong)


@settings(max_examples=examples(50), deadline=None)
@given(st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists))
def test_any_answer_is_a_transaction_or_refused(value: Json) -> None:
    with pytest.raises(BadValueError):
        parse_pending(value)


def test_the_highest_tip_comes_first_and_each_sender_s_by_nonce() -> None:
    assert order(tx("a", 2, 9), tx("b", 5, 4), tx("a", 1, 3)) == ["b5", "a1", "a2"]


def test_of_equal_tips_the_one_seen_first_comes_first() -> None:
    assert order(tx("b", 1, 4), tx("a", 1, 4)) == ["b1", "a1"]


def test_what_pays_less_than_the_base_fee_waits_and_so_does_what_follows_it() -> None:
    assert order(tx("a", 1, 5, fee=9), tx("a", 2, 5), tx("b", 1, 1, fee=11)) == ["b1"]


def test_a_tip_is_no_more_than_what_the_base_fee_leaves_of_the_whole() -> None:
    assert order(tx("a", 1, 50, fee=12), tx("b", 1, 3)) == ["b1", "a1"]
