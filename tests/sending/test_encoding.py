"""What the contract is called with says all of a route and nothing else."""

import json

import msgspec
import pytest
from eth_abi.abi import decode as abi_decode
from eth_hash.auto import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.errors import BadValueError
from engine.domain.routes_on_chain import (
    ChainRoute,
    ConcentratedHop,
    CurveHop,
    PairHop,
    Source,
    SourceKind,
    V4Hop,
    VaultHop,
)
from engine.sending.encoding import (
    SELECTOR,
    calldata,
    decode,
    pause_calldata,
    revoke_calldata,
    withdraw_calldata,
)
from engine.sending.packed_hops import pool_of
from tests.effort import examples
from tests.sending.routes import AWAY, CONTRACT, DAI, EXAMPLES, POOLS, USDC, WETH, route_of, routes
from tests.sending.vectors import VECTORS, vectors

TIP_AT = 4 + 4 * 32
ROUTE_AT = 4 + 7 * 32


@settings(max_examples=examples(600), deadline=None)
@given(routes())
def test_what_is_encoded_is_decoded_to_the_same_route(route: ChainRoute) -> None:
    assert decode(calldata(route), contract=route.contract) == route


@settings(max_examples=examples(600), deadline=None)
@given(routes(), st.data())
def test_no_changed_byte_leaves_the_route_what_it_was(
    route: ChainRoute, data: st.DataObject
) -> None:
    sent = bytearray(calldata(route))
    at = data.draw(st.integers(0, len(sent) - 1))
    sent[at] ^= data.draw(st.integers(1, 255))

    try:
        read = decode(bytes(sent), contract=route.contract)
    except BadValueError:
        return
    assert read != route
    assert calldata(read) == bytes(sent)


@settings(max_examples=examples(600), deadline=None)
@given(routes(), st.data())
def test_no_bytes_may_lack_or_follow(route: ChainRoute, data: st.DataObject) -> None:
    sent = calldata(route)
    cut = data.draw(st.integers(0, len(sent) - 1))

    for wrong in (sent[:cut], sent + b"\0", sent + bytes(32)):
        with pytest.raises(BadValueError):
            decode(wrong, contract=route.contract)


@settings(max_examples=examples(400), deadline=None)
@given(st.binary(max_size=600))
def test_any_bytes_are_a_route_or_refused(some: bytes) -> None:
    for sent in (some, SELECTOR + some):
        try:
            route = decode(sent, contract=CONTRACT)
        except BadValueError:
            continue
        assert calldata(route) == sent


@settings(max_examples=examples(400), deadline=None)
@given(routes())
def test_a_route_is_stored_as_json_unchanged(route: ChainRoute) -> None:
    assert msgspec.json.decode(msgspec.json.encode(route), type=ChainRoute) == route


def test_what_a_person_approves_stands_in_words_of_its_own() -> None:
    route = route_of(SourceKind.AAVE_V3)

    token, amount, profit_min, deadline, tip, _ = abi_decode(
        ("address", "uint256", "uint256", "uint256", "uint256", "bytes"), calldata(route)[4:]
    )

    assert (token, amount, profit_min, deadline, tip) == (
        route.source.token,
        route.source.amount_raw,
        route.profit_min_raw,
        route.deadline_ts,
        route.tip_bps,
    )


def test_a_pair_and_a_concentrated_pool_take_so_many_bytes() -> None:
    hops = (AWAY[0], ConcentratedHop(pool=POOLS[1], token_in=USDC, token_out=WETH))

    sent = calldata(route_of(SourceKind.FIRST_HOP, hops))

    # Chain and source; kind, pool, token and fee of the pair; kind and pool of the one home.
    assert int.from_bytes(sent[ROUTE_AT - 32 : ROUTE_AT]) == 9 + 44 + 21


def test_vectors_for_the_tests_of_the_contract_are_of_this_encoding() -> None:
    assert VECTORS.read_text() == vectors()
    for row, route in zip(json.loads(VECTORS.read_text()), EXAMPLES, strict=True):
        assert msgspec.convert(row["route"], ChainRoute) == route
        assert decode(bytes.fromhex(row["calldata"][2:]), contract=route.contract) == route


def test_a_share_of_more_than_all_is_refused() -> None:
    sent = bytearray(calldata(route_of(SourceKind.OWN)))
    sent[TIP_AT : TIP_AT + 32] = (10_001).to_bytes(32)

    with pytest.raises(BadValueError, match="tip_bps is 10001"):
        decode(bytes(sent), contract=CONTRACT)


@pytest.mark.parametrize("number", [7, 255])
def test_an_unknown_source_is_refused(number: int) -> None:
    sent = bytearray(calldata(route_of(SourceKind.OWN)))
    sent[ROUTE_AT + 8] = number

    with pytest.raises(BadValueError, match=f"source {number} of a route"):
        decode(bytes(sent), contract=CONTRACT)


@pytest.mark.parametrize("number", [0, 7, 15])
def test_an_unknown_kind_of_hop_is_refused(number: int) -> None:
    sent = bytearray(calldata(route_of(SourceKind.OWN)))
    sent[ROUTE_AT + 9] = number

    with pytest.raises(BadValueError, match=f"hop of kind {number} in a route"):
        decode(bytes(sent), contract=CONTRACT)


def test_a_word_where_an_address_belongs_is_refused() -> None:
    sent = bytearray(calldata(route_of(SourceKind.OWN)))
    sent[4] = 1

    with pytest.raises(BadValueError, match="no address"):
        decode(bytes(sent), contract=CONTRACT)


def test_a_route_that_does_not_come_home_is_none() -> None:
    with pytest.raises(BadValueError, match="the route ends in"):
        route_of(SourceKind.OWN, AWAY[:1])


def test_a_hop_takes_what_the_one_before_gave() -> None:
    with pytest.raises(BadValueError, match="hop 1 takes"):
        route_of(SourceKind.OWN, (AWAY[0], AWAY[2]))


def test_a_route_has_hops() -> None:
    base = route_of(SourceKind.OWN)
    with pytest.raises(BadValueError, match="number of hops is 0"):
        msgspec.structs.replace(base, hops=())


def test_only_a_pool_that_gives_first_can_be_paid_last() -> None:
    vault = AWAY[4]
    assert isinstance(vault, VaultHop)
    home = PairHop(pool=POOLS[0], token_in=USDC, token_out=WETH, fee_pips=3_000)

    with pytest.raises(BadValueError, match="does not give before it is paid"):
        route_of(SourceKind.FIRST_HOP, (vault, home))


def test_a_lender_that_is_locked_is_no_hop() -> None:
    base = route_of(SourceKind.BALANCER_V2)
    for kind in (SourceKind.BALANCER_V2, SourceKind.UNISWAP_V2, SourceKind.UNISWAP_V3):
        source = msgspec.structs.replace(base.source, kind=kind, address=AWAY[4].pool)
        with pytest.raises(BadValueError, match="while it waits to be paid"):
            msgspec.structs.replace(base, source=source)

    aave = msgspec.structs.replace(base.source, kind=SourceKind.AAVE_V3, address=AWAY[4].pool)
    msgspec.structs.replace(base, source=aave)


def test_a_pool_that_gave_first_is_no_later_hop() -> None:
    first = ConcentratedHop(pool=POOLS[1], token_in=WETH, token_out=USDC)
    again = ConcentratedHop(pool=POOLS[1], token_in=USDC, token_out=WETH)

    with pytest.raises(BadValueError, match="while it waits to be paid"):
        route_of(SourceKind.FIRST_HOP, (first, again))
    route_of(SourceKind.OWN, (first, again))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"amount_raw": 0}, "amount_raw of a source is 0"),
        ({"amount_raw": 2**127}, "amount_raw of a source"),
        ({"token": WETH.upper()}, "no address"),
        ({"address": ""}, "lender aave_v3"),
        ({"is_token0": True}, "has no first token"),
        ({"kind": SourceKind.OWN}, "has nobody who lends"),
        ({"kind": SourceKind.UNISWAP_V4, "fee_raw": 1}, "takes no fee"),
    ],
)
def test_a_source_that_cannot_be_is_told_in_a_sentence(
    changed: dict[str, object], sentence: str
) -> None:
    fields = {"kind": SourceKind.AAVE_V3, "token": WETH, "amount_raw": 1, "address": POOLS[0]}
    with pytest.raises(BadValueError, match=sentence):
        Source(**(fields | changed))  # type: ignore[arg-type]


def test_a_hop_that_cannot_be_is_told_in_a_sentence() -> None:
    with pytest.raises(BadValueError, match="fee_pips of a pair is 1000000"):
        PairHop(pool=POOLS[0], token_in=USDC, token_out=DAI, fee_pips=1_000_000)
    with pytest.raises(BadValueError, match="to itself"):
        ConcentratedHop(pool=POOLS[0], token_in=USDC, token_out=USDC)
    with pytest.raises(BadValueError, match="tick_spacing of a pool of V4 is 0"):
        V4Hop(pool=POOLS[0], token_in=USDC, token_out=DAI, fee_pips=1, tick_spacing=0)
    with pytest.raises(BadValueError, match="from the coin to itself"):
        V4Hop(
            pool=POOLS[0],
            token_in=USDC,
            token_out=DAI,
            fee_pips=1,
            tick_spacing=1,
            is_coin_in=True,
            is_coin_out=True,
        )
    with pytest.raises(BadValueError, match="no id of a pool"):
        VaultHop(pool=POOLS[0], token_in=USDC, token_out=DAI, pool_id="0x12")
    with pytest.raises(BadValueError, match="index_out of a pool of Curve is 8"):
        CurveHop(pool=POOLS[0], token_in=USDC, token_out=DAI, index_in=0, index_out=8)
    with pytest.raises(BadValueError, match="from coin 1 to itself"):
        CurveHop(pool=POOLS[0], token_in=USDC, token_out=DAI, index_in=1, index_out=1)


def test_a_pool_of_v4_is_known_by_the_hash_of_its_key() -> None:
    low, high = "0x" + "11" * 20, "0x" + "22" * 20
    hop = V4Hop(pool=POOLS[3], token_in=high, token_out=low, fee_pips=500, tick_spacing=10)
    coin = V4Hop(
        pool=POOLS[3], token_in=high, token_out=low, fee_pips=500, tick_spacing=10, is_coin_out=True
    )

    words = [int(low, 16), int(high, 16), 500, 10, 0]
    assert pool_of(hop) == "0x" + keccak(b"".join(one.to_bytes(32) for one in words)).hex()
    words[0] = 0
    assert pool_of(coin) == "0x" + keccak(b"".join(one.to_bytes(32) for one in words)).hex()


def test_a_pool_of_the_vault_is_known_by_its_id() -> None:
    assert pool_of(AWAY[4]) == "0x" + "5a" * 32
    assert pool_of(AWAY[0]) == POOLS[0]


def test_other_calls_are_those_of_the_contract() -> None:
    assert pause_calldata().hex() == "8456cb59"
    assert withdraw_calldata(USDC) == bytes.fromhex("51cff8d9" + "0" * 24 + USDC[2:])
    assert revoke_calldata(USDC, DAI)[4:] == bytes.fromhex("0" * 24 + USDC[2:] + "0" * 24 + DAI[2:])
