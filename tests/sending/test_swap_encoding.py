"""The call that trades a token of its caller's: both ways, to the last bit."""

import json

import msgspec
import pytest
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.domain.routes_on_chain import ChainSwap, PairHop, SourceKind
from engine.sending.encoding import SELECTOR, SWAP, calldata, decode, decode_swap, swap_calldata
from tests.effort import examples
from tests.sending.routes import (
    AWAY,
    CONTRACT,
    DAI,
    POOLS,
    SWAPS,
    USDC,
    WETH,
    route_of,
    swap_of,
    swaps,
)
from tests.sending.vectors import SWAP_VECTORS, swap_vectors

TYPES = ("address", "uint256", "address", "uint256", "uint256", "bytes")
MIN_AT = 4 + 3 * 32


@settings(max_examples=examples(400), deadline=None)
@given(swaps())
def test_what_is_encoded_is_decoded_to_the_same_swap(swap: ChainSwap) -> None:
    assert decode_swap(swap_calldata(swap), contract=swap.contract) == swap


@settings(max_examples=examples(200), deadline=None)
@given(swaps())
def test_a_call_is_written_as_the_abi_has_it(swap: ChainSwap) -> None:
    sent = swap_calldata(swap)
    words = abi_decode(TYPES, sent[4:])

    assert words[:5] == (
        swap.token_in,
        swap.amount_in_raw,
        swap.token_out,
        swap.amount_out_min_raw,
        swap.deadline_ts,
    )
    assert sent == SWAP + abi_encode(TYPES, words)


@settings(max_examples=examples(400), deadline=None)
@given(swaps(), st.data())
def test_no_changed_byte_leaves_the_swap_what_it_was(swap: ChainSwap, data: st.DataObject) -> None:
    sent = bytearray(swap_calldata(swap))
    at = data.draw(st.integers(0, len(sent) - 1))
    sent[at] ^= data.draw(st.integers(1, 255))

    try:
        read = decode_swap(bytes(sent), contract=swap.contract)
    except BadValueError:
        return
    assert read != swap
    assert swap_calldata(read) == bytes(sent)


@settings(max_examples=examples(200), deadline=None)
@given(swaps(), st.data())
def test_no_bytes_may_lack_or_follow(swap: ChainSwap, data: st.DataObject) -> None:
    sent = swap_calldata(swap)
    cut = data.draw(st.integers(0, len(sent) - 1))

    for wrong in (sent[:cut], sent + b"\0", sent + bytes(32)):
        with pytest.raises(BadValueError):
            decode_swap(wrong, contract=swap.contract)


@settings(max_examples=examples(200), deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_are_a_swap_or_refused(some: bytes) -> None:
    for sent in (some, SWAP + some):
        try:
            swap = decode_swap(sent, contract=CONTRACT)
        except BadValueError:
            continue
        assert swap_calldata(swap) == sent


def test_a_swap_is_no_round_and_a_round_no_swap() -> None:
    swap, route = swap_calldata(swap_of()), calldata(route_of(SourceKind.OWN))

    for sent in (swap, SELECTOR + swap[4:]):
        with pytest.raises(BadValueError):
            decode(sent, contract=CONTRACT)
    for sent in (route, SWAP + route[4:]):
        with pytest.raises(BadValueError):
            decode_swap(sent, contract=CONTRACT)


def test_vectors_for_the_tests_of_the_contract_are_of_this_encoding() -> None:
    assert SWAP_VECTORS.read_text() == swap_vectors()
    for row, swap in zip(json.loads(SWAP_VECTORS.read_text()), SWAPS, strict=True):
        assert msgspec.convert(row["swap"], ChainSwap) == swap
        assert decode_swap(bytes.fromhex(row["calldata"][2:]), contract=swap.contract) == swap


def test_a_swap_that_may_give_nothing_is_none() -> None:
    sent = bytearray(swap_calldata(swap_of()))
    sent[MIN_AT : MIN_AT + 32] = bytes(32)

    with pytest.raises(BadValueError, match="amount_out_min_raw of a swap is 0"):
        decode_swap(bytes(sent), contract=CONTRACT)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"token_in": DAI, "token_out": DAI}, "a swap is from .* to itself"),
        ({"token_in": USDC}, "hop 0 takes"),
        ({"token_out": USDC}, "the route ends in"),
        ({"hops": ()}, "number of hops is 0"),
        ({"hops": (AWAY[0], AWAY[2])}, "hop 1 takes"),
        ({"amount_in_raw": 0}, "amount_in_raw of a swap is 0"),
        ({"amount_in_raw": 2**127}, "amount_in_raw of a swap"),
        ({"chain_id": 0}, "chain_id is 0"),
        ({"deadline_ts": 2**40}, "deadline_ts is"),
        ({"contract": ""}, "contract of a swap is ''"),
    ],
)
def test_a_swap_that_cannot_be_is_told_in_a_sentence(
    changed: dict[str, object], sentence: str
) -> None:
    with pytest.raises(BadValueError, match=sentence):
        msgspec.structs.replace(swap_of(), **changed)


def test_a_swap_at_a_pair_takes_so_many_bytes() -> None:
    hop = PairHop(pool=POOLS[0], token_in=WETH, token_out=USDC, fee_pips=3_000)

    sent = swap_calldata(swap_of((hop,)))

    # Chain; kind, pool and fee of the one hop, whose token is the one that is named already.
    assert int.from_bytes(sent[4 + 6 * 32 : 4 + 7 * 32]) == 8 + 24
