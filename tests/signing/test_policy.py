"""What the signer refuses of its own accord: each rule, whatever the sender says."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.chains import DEADLINE_BLOCKS, block_ms
from engine.domain.errors import BadValueError
from engine.domain.routes_on_chain import (
    BPS,
    ChainRoute,
    ConcentratedHop,
    PairHop,
    Source,
    SourceKind,
    V4Hop,
)
from engine.domain.signing import Purpose, RefusalKind, Signed, SigningIntent, SignRefusal
from engine.domain.units import NS_PER_S
from engine.sending.encoding import calldata, decode, disallow_calldata
from engine.sending.packed_hops import pool_of
from engine.signing.caps import DailyCaps
from engine.signing.curve import LocalKey
from engine.signing.desk import SigningDesk, caps_of
from engine.signing.journal import Journal
from engine.signing.routes import raw_ceil, raw_exact, raw_floor
from engine.signing.rules import APPROVE_GAS_MAX, CANCEL_GAS_MAX, GAS_LIMIT_MAX
from engine.signing.terms import SigningTerms
from engine.signing.wallet import LocalWallet
from engine.signing.words import Words
from tests.effort import examples
from tests.signing.intents import (
    CONTRACT,
    GWEI,
    NOW_NS,
    POOLS,
    TERMS,
    USDC,
    WETH,
    Word,
    kind_of,
    make_intent,
    make_plan,
    make_protective,
    make_route,
    make_transaction,
)
from tests.signing.saying import WORD_KEY

KEY = LocalKey(b"\x07" * 32)
OTHER = "0x" + "dd" * 20

replace = msgspec.structs.replace


@contextmanager
def desk_of(terms: SigningTerms = TERMS, *, word: Word | None = None) -> Iterator[SigningDesk]:
    """A signer whose journal is in memory."""
    journal = Journal(Path(":memory:"))
    caps = DailyCaps(journal, caps_of(terms), boot="b", now_ns=NOW_NS)
    desk = SigningDesk(
        terms=terms,
        journal=journal,
        caps=caps,
        leave=word or Word(),
        clock=lambda: NOW_NS,
        words=Words(key=WORD_KEY, journal=journal),
    )
    desk.wallet = LocalWallet(KEY)
    try:
        yield desk
    finally:
        journal.close()


async def asked(intent: SigningIntent, terms: SigningTerms = TERMS) -> Signed | SignRefusal:
    with desk_of(terms) as desk:
        return await desk.sign(intent)


async def test_what_carries_its_plan_out_is_signed_by_the_wallet() -> None:
    intent = make_intent()
    reply = await asked(intent)
    assert isinstance(reply, Signed), reply
    assert Account.recover_transaction(reply.raw).lower() == KEY.address
    assert reply.hash.startswith("0x")
    assert intent.transaction.data in reply.raw


TRANSACTIONS: list[tuple[dict[str, Any], RefusalKind]] = [
    ({"chain_id": 5}, RefusalKind.CHAIN),
    ({"chain_id": 1}, RefusalKind.CONTRACT),
    ({"to": OTHER}, RefusalKind.CONTRACT),
    ({"to": CONTRACT.upper()}, RefusalKind.CONTRACT),
    ({"to": ""}, RefusalKind.CONTRACT),
    ({"code_hash": ""}, RefusalKind.CODE_HASH),
    ({"code_hash": "0x" + "ac" * 32}, RefusalKind.CODE_HASH),
    ({"value_wei": 1}, RefusalKind.VALUE),
    ({"nonce": -1}, RefusalKind.NONCE),
    ({"gas_limit": 20_999}, RefusalKind.GAS),
    ({"gas_limit": GAS_LIMIT_MAX + 1}, RefusalKind.GAS),
    ({"gas_limit": 375_001}, RefusalKind.GAS),
    ({"max_fee_per_gas_wei": 10 * GWEI + 1}, RefusalKind.GAS),
    ({"max_fee_per_gas_wei": 0, "max_priority_fee_per_gas_wei": 0}, RefusalKind.FEE),
    ({"max_priority_fee_per_gas_wei": 8 * GWEI + 1}, RefusalKind.FEE),
    ({"max_priority_fee_per_gas_wei": -1}, RefusalKind.FEE),
    ({"data": b""}, RefusalKind.CALL),
    ({"data": b"\xa9\x05\x9c\xbb" + bytes(64)}, RefusalKind.CALL),
    ({"data": make_transaction().data + b"\0"}, RefusalKind.CALL),
    ({"data": make_transaction().data[:-1]}, RefusalKind.CALL),
]


@pytest.mark.parametrize(("changes", "kind"), TRANSACTIONS)
async def test_a_transaction_that_breaks_a_rule_is_refused(
    changes: dict[str, Any], kind: RefusalKind
) -> None:
    intent = make_intent()
    if "code_hash" in changes:
        intent = replace(intent, **changes)
    else:
        intent = replace(intent, transaction=replace(intent.transaction, **changes))
    reply = await asked(intent)
    assert isinstance(reply, SignRefusal)
    assert reply.kind is kind, reply
    assert reply.detail


def _hops(*, pool: str = POOLS[0], out: str = USDC) -> tuple[Any, ...]:
    return (
        PairHop(pool=pool, token_in=WETH, token_out=out, fee_pips=3_000),
        ConcentratedHop(pool=POOLS[1], token_in=out, token_out=WETH),
    )


def _source(**changes: Any) -> Source:
    return replace(make_route().source, **changes)


LATEST_TS = -(
    (make_plan().deadline_ns + DEADLINE_BLOCKS * block_ms("base") * 1_000_000) // -NS_PER_S
)

ROUTES: list[tuple[dict[str, Any], RefusalKind]] = [
    ({"chain_id": 1}, RefusalKind.CHAIN),
    ({"hops": _hops(pool=OTHER)}, RefusalKind.PLAN),
    ({"hops": _hops(out=OTHER)}, RefusalKind.PLAN),
    ({"hops": (*_hops(), *_hops())}, RefusalKind.PLAN),
    ({"source": _source(amount_raw=10**18 + 1)}, RefusalKind.PLAN),
    ({"source": _source(amount_raw=10**18 - 1)}, RefusalKind.PLAN),
    ({"source": _source(fee_raw=5 * 10**14 + 1)}, RefusalKind.PLAN),
    (
        {"source": Source(kind=SourceKind.OWN, token=WETH, amount_raw=10**18)},
        RefusalKind.PLAN,
    ),
    ({"profit_min_raw": 4 * 10**15 - 1}, RefusalKind.PROFIT),
    ({"profit_min_raw": 5 * 10**15 - 1}, RefusalKind.PROFIT),
    ({"profit_min_raw": 0}, RefusalKind.PROFIT),
    ({"tip_bps": 9_001}, RefusalKind.PROFIT),
    ({"tip_bps": BPS}, RefusalKind.PROFIT),
    ({"deadline_ts": NOW_NS // NS_PER_S - 1}, RefusalKind.DEADLINE),
    ({"deadline_ts": LATEST_TS + 1}, RefusalKind.DEADLINE),
]


@pytest.mark.parametrize(("changes", "kind"), ROUTES)
async def test_a_route_that_is_not_the_plans_is_refused(
    changes: dict[str, Any], kind: RefusalKind
) -> None:
    reply = await asked(make_intent(route=make_route(**changes)))
    assert isinstance(reply, SignRefusal)
    assert reply.kind is kind, reply


@pytest.mark.parametrize(
    "changes",
    [
        {"profit_min_raw": 6 * 10**15},
        {"profit_min_raw": 4 * 10**15, "tip_bps": 2_000},
        {"profit_min_raw": 5 * 10**16, "tip_bps": 9_000},
        {"source": _source(fee_raw=0), "profit_min_raw": 55 * 10**14},
        {"deadline_ts": NOW_NS // NS_PER_S},
        {"deadline_ts": LATEST_TS},
    ],
)
async def test_bounds_that_are_as_tight_or_tighter_are_signed(changes: dict[str, Any]) -> None:
    assert kind_of(await asked(make_intent(route=make_route(**changes)))) is None


PLANS: list[tuple[dict[str, Any], RefusalKind]] = [
    ({"chain": "ethereum"}, RefusalKind.CHAIN),
    ({"deadline_ns": NOW_NS - 1}, RefusalKind.DEADLINE),
    ({"has_flash_loan": False}, RefusalKind.PLAN),
    ({"flash_fee": Decimal("0.00049")}, RefusalKind.PLAN),
    ({"profit_min_quote": Decimal("0.0050000000000000001")}, RefusalKind.PROFIT),
    ({"steps": make_plan().steps[:1]}, RefusalKind.PLAN),
    ({"steps": make_plan().steps[::-1]}, RefusalKind.PLAN),
    ({"steps": ()}, RefusalKind.PLAN),
    ({"notional_usd": Decimal(-1)}, RefusalKind.PLAN),
    ({"notional_usd": Decimal("NaN")}, RefusalKind.PLAN),
    ({"flash_fee": Decimal("Infinity")}, RefusalKind.PLAN),
    ({"profit_min_quote": Decimal("1E+999999")}, RefusalKind.PLAN),
    ({"profit_min_quote": Decimal("1E-999999")}, RefusalKind.PLAN),
]


@pytest.mark.parametrize(("changes", "kind"), PLANS)
async def test_another_plan_than_the_routes_is_refused(
    changes: dict[str, Any], kind: RefusalKind
) -> None:
    reply = await asked(make_intent(make_plan(**changes)))
    assert kind_of(reply) is kind, reply


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"address": OTHER}, RefusalKind.PLAN),
        ({"source": "USDC"}, RefusalKind.PLAN),
        ({"target": "ETH"}, RefusalKind.PLAN),
        ({"decimals_in": 17}, RefusalKind.PLAN),
        ({"amount_in": Decimal("1.5")}, RefusalKind.PLAN),
        ({"amount_in": Decimal("1.0000000000000000001")}, RefusalKind.PLAN),
    ],
)
async def test_a_plan_whose_first_step_is_another_is_refused(
    changes: dict[str, Any], kind: RefusalKind
) -> None:
    first, last = make_plan().steps
    reply = await asked(make_intent(make_plan(steps=(replace(first, **changes), last))))
    assert kind_of(reply) is kind, reply


async def test_a_step_that_has_to_give_more_back_than_the_call_demands_is_refused() -> None:
    first, last = make_plan().steps
    more = replace(last, amount_out_min=last.amount_out_min + Decimal("0.000000000000000001"))
    reply = await asked(make_intent(make_plan(steps=(first, more))))
    assert kind_of(reply) is RefusalKind.PROFIT


async def test_a_pool_of_uniswap_v4_is_known_by_the_hash_of_its_key() -> None:
    key: dict[str, Any] = {"pool": OTHER, "token_in": USDC, "token_out": WETH, "tick_spacing": 10}
    hop = V4Hop(**key, fee_pips=500, is_coin_out=True)
    route = make_route(hops=(_hops()[0], hop))
    first, last = make_plan().steps
    plan = make_plan(steps=(first, replace(last, address=pool_of(hop))))
    assert kind_of(await asked(make_intent(plan, route))) is None
    dearer = make_route(hops=(_hops()[0], V4Hop(**key, fee_pips=3_000, is_coin_out=True)))
    assert kind_of(await asked(make_intent(plan, dearer))) is RefusalKind.PLAN


async def test_nothing_is_carried_out_without_a_plan() -> None:
    intent = replace(make_intent(), plan=None)
    assert kind_of(await asked(intent)) is RefusalKind.PLAN


async def test_while_locked_nothing_is_signed() -> None:
    with desk_of() as desk:
        desk.wallet = None
        assert kind_of(await desk.sign(make_intent())) is RefusalKind.LOCKED
        assert kind_of(await desk.sign(make_protective(Purpose.PAUSE))) is RefusalKind.LOCKED


async def test_what_latch_and_mode_refuse_is_refused_even_if_it_was_signed_before() -> None:
    word = Word()
    with desk_of(word=word) as desk:
        assert isinstance(await desk.sign(make_intent()), Signed)
        word.why = SignRefusal(kind=RefusalKind.KILLED, detail="killed")
        assert await desk.sign(make_intent()) == word.why


# ---- what protects ----------------------------------------------------------------------------

PROTECTIVE = [Purpose.PAUSE, Purpose.WITHDRAW, Purpose.REVOKE]


@pytest.mark.parametrize("purpose", PROTECTIVE)
async def test_what_protects_is_signed_exactly_as_it_is_written(purpose: Purpose) -> None:
    good = make_protective(purpose)
    data = good.transaction.data
    assert kind_of(await asked(good)) is None
    wrong = [data + b"\0", data[:-1], b"\0" + data[1:], b"", make_transaction().data]
    if len(data) > 4:
        wrong.append(data[:4] + b"\x01" + data[5:])
    for other in wrong:
        assert kind_of(await asked(make_protective(purpose, data=other))) is RefusalKind.CALL
    for name, value, kind in (
        ("to", OTHER, RefusalKind.CONTRACT),
        ("value_wei", 1, RefusalKind.VALUE),
        ("chain_id", 137, RefusalKind.CHAIN),
    ):
        assert kind_of(await asked(make_protective(purpose, **{name: value}))) is kind
    with_plan = make_protective(purpose, plan=make_plan())
    assert kind_of(await asked(with_plan)) is RefusalKind.PLAN


async def test_the_wallet_takes_an_allowance_back_and_gives_none() -> None:
    spender = int("0x" + "77" * 20, 16)
    good = disallow_calldata("0x" + "77" * 20)
    given = good[:-1] + b"\x01"
    asks = {
        good: None,
        given: RefusalKind.CALL,
        good[:-32] + b"\xff" * 32: RefusalKind.CALL,
        b"\x12" + good[1:]: RefusalKind.CALL,
        good + b"\0": RefusalKind.CALL,
        good[:4] + b"\x01" + good[5:]: RefusalKind.CALL,
        disallow_calldata("0x0"): RefusalKind.CALL,
        b"": RefusalKind.CALL,
    }
    assert spender.to_bytes(32) in good
    for data, kind in asks.items():
        intent = make_protective(Purpose.DISALLOW, to=OTHER, data=data)
        assert kind_of(await asked(intent)) is kind, data.hex()
    for changes, kind in (
        ({"to": CONTRACT}, RefusalKind.CONTRACT),
        ({"to": KEY.address}, RefusalKind.CONTRACT),
        ({"value_wei": 1}, RefusalKind.VALUE),
        ({"gas_limit": APPROVE_GAS_MAX + 1}, RefusalKind.GAS),
        ({"chain_id": 137}, RefusalKind.CHAIN),
        ({"plan": make_plan()}, RefusalKind.PLAN),
    ):
        intent = make_protective(Purpose.DISALLOW, **{"to": OTHER, **changes})
        assert kind_of(await asked(intent)) is kind, changes


async def test_a_cancel_is_nothing_to_ourselves() -> None:
    assert kind_of(await asked(make_protective(Purpose.CANCEL, to=KEY.address))) is None
    for changes, kind in (
        ({"to": CONTRACT}, RefusalKind.CONTRACT),
        ({"data": b"\0"}, RefusalKind.CALL),
        ({"value_wei": 1}, RefusalKind.VALUE),
        ({"gas_limit": CANCEL_GAS_MAX + 1}, RefusalKind.GAS),
    ):
        intent = make_protective(Purpose.CANCEL, **{"to": KEY.address, **changes})
        assert kind_of(await asked(intent)) is kind, changes


# ---- any bytes at all -------------------------------------------------------------------------


def is_within(route: ChainRoute) -> bool:
    """Say by other words than the signer's whether a route carries `make_plan` out."""
    good = make_route()
    paid_back = 10**18 + route.source.fee_raw
    gain = route.profit_min_raw * BPS // (BPS - route.tip_bps) if route.tip_bps < BPS else 0
    return (
        route.chain_id == good.chain_id
        and [(one.pool, one.token_in, one.token_out) for one in route.hops]
        == [(one.pool, one.token_in, one.token_out) for one in good.hops]
        and route.source.kind is not SourceKind.OWN
        and route.source.token == WETH
        and route.source.amount_raw == 10**18
        and route.source.fee_raw <= 5 * 10**14
        and route.profit_min_raw >= 4 * 10**15
        and paid_back + gain >= 1_005_500_000_000_000_000
        and route.tip_bps <= 9_000
        and NOW_NS // NS_PER_S <= route.deadline_ts <= LATEST_TS
    )


GOOD = calldata(make_route())


@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=3
    )
)
async def test_of_calls_with_any_bytes_changed_only_those_within_the_plan_are_signed(
    changes: list[tuple[int, int]],
) -> None:
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    reply = await asked(make_intent(data=bytes(data)))
    try:
        expected = is_within(decode(bytes(data), contract=CONTRACT))
    except BadValueError:
        expected = False
    assert isinstance(reply, Signed) == expected, reply


@st.composite
def intents(draw: st.DrawFn) -> SigningIntent:
    """Anything that may be asked: mostly near what is right, with something wrong or not."""
    good = make_intent()
    one = good.transaction
    numbers = st.one_of(st.integers(0, 2**63), st.sampled_from([0, 1, 7, 8_453, 300_000, 10**10]))
    some_bytes = st.one_of(
        st.just(one.data), st.binary(max_size=40), st.just(calldata(make_route(tip_bps=100)))
    )
    names = draw(st.sets(st.sampled_from(sorted(one.__struct_fields__)), max_size=2))
    values: dict[str, Any] = {
        name: draw(
            some_bytes
            if name == "data"
            else st.sampled_from([CONTRACT, OTHER, KEY.address, WETH])
            if name == "to"
            else numbers
        )
        for name in names
    }
    return replace(
        good,
        purpose=draw(st.sampled_from(Purpose)),
        transaction=replace(one, **values),
        plan=draw(st.sampled_from([good.plan, None, make_plan(2), make_plan(chain="ethereum")])),
        code_hash=draw(st.sampled_from([good.code_hash, "", "0x00"])),
    )


@pytest.mark.campaign
def test_whatever_is_asked_nothing_outside_the_policy_is_signed_100_000() -> None:
    _never_outside(100_000)


def test_whatever_is_asked_nothing_outside_the_policy_is_signed() -> None:
    _never_outside(examples(2_000))


def _never_outside(count: int) -> None:
    @settings(max_examples=count)
    @given(intent=intents())
    def holds(intent: SigningIntent) -> None:
        reply = asyncio.run(asked(intent))
        if not isinstance(reply, Signed):
            return
        one = intent.transaction
        assert one.value_wei == 0
        assert one.chain_id in TERMS.names
        assert one.gas_limit * one.max_fee_per_gas_wei <= 10**17
        if intent.purpose is Purpose.CANCEL:
            assert (one.to, one.data) == (KEY.address, b"")
            return
        assert one.to == CONTRACT
        assert intent.code_hash == TERMS.contracts["base"][CONTRACT]
        assert intent.plan is not None or intent.purpose.is_protective
        assert intent.purpose in {Purpose.ROUTE, Purpose.REPLACE} or one.data[:4] != GOOD[:4]
        if intent.purpose is Purpose.ROUTE:
            assert one.gas_limit * one.max_fee_per_gas_wei <= 3 * 10**15
            assert is_within(decode(one.data, contract=CONTRACT))

    holds()


@given(raw=st.integers(-(10**60), 10**60), decimals=st.integers(0, 36), parts=st.integers(0, 40))
def test_amounts_become_raw_units_by_whole_numbers_alone(
    raw: int, decimals: int, parts: int
) -> None:
    exact = Decimal(f"{raw}E-{decimals + parts}")
    assert raw_floor(exact, decimals) == raw // 10**parts
    assert raw_ceil(exact, decimals) == -(-raw // 10**parts)
    assert raw_exact(exact, decimals) == (None if raw % 10**parts else raw // 10**parts)


async def test_a_plan_that_ended_is_begun_no_more_and_bid_for_until_its_last_block() -> None:
    plan = make_plan()
    late_ns = plan.deadline_ns + 1
    at_ns = NOW_NS
    journal = Journal(Path(":memory:"))
    caps = DailyCaps(journal, caps_of(TERMS), boot="b", now_ns=NOW_NS)
    desk = SigningDesk(terms=TERMS, journal=journal, caps=caps, leave=Word(), clock=lambda: at_ns)
    desk.wallet = LocalWallet(KEY)
    assert kind_of(await desk.sign(make_intent(plan))) is None
    at_ns = late_ns
    begun = await desk.sign(make_intent(make_plan(2), nonce=8))
    assert isinstance(begun, SignRefusal)
    assert (begun.kind, begun.detail) == (RefusalKind.DEADLINE, "the plan ended 0 ms ago")
    for fee_wei, tip_wei, now_ns, kind in (
        (9 * GWEI, 2 * GWEI, at_ns, None),
        (10 * GWEI, 3 * GWEI, (make_route().deadline_ts + 1) * NS_PER_S, RefusalKind.DEADLINE),
    ):
        at_ns = now_ns
        raised = make_intent(
            plan,
            purpose=Purpose.REPLACE,
            max_fee_per_gas_wei=fee_wei,
            max_priority_fee_per_gas_wei=tip_wei,
        )
        assert kind_of(await desk.sign(raised)) is kind
    journal.close()
