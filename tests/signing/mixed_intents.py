"""A plan of a transaction and an order, and what is asked of a signer for its transactions."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Hop, HopKind, Leg, Side
from engine.domain.plans import MixedPlan, Part
from engine.domain.routes_on_chain import ChainSwap, ConcentratedHop, PairHop
from engine.domain.signing import Purpose, SigningIntent
from engine.domain.units import NS_PER_S
from engine.sending.encoding import allow_calldata, swap_calldata
from engine.signing.rules import Given
from tests.reference.world import make_instrument
from tests.signing.intents import (
    CHAIN,
    CHAIN_ID,
    CODE_HASH,
    CONTRACT,
    NOW_NS,
    POOLS,
    TERMS,
    USDC,
    WETH,
    make_plan,
    make_transaction,
)

OWN = "0x" + "0a" * 20
DAI = "0x" + "da" * 20
DAI_ASSET = AssetCode(f"DAI@{CHAIN}:{DAI}")


def make_mixed(first: Part = Part.TRANSACTION, **changes: Any) -> MixedPlan:
    """Return a plan that gives 1 ETH for 2,500 USDC by way of DAI, and buys more ETH at a book."""
    base = make_plan()
    one, other = base.steps
    replaced = msgspec.structs.replace
    steps = (
        replaced(one, target=DAI_ASSET, decimals_out=18),
        replaced(
            other,
            source=DAI_ASSET,
            target=AssetCode("USDC"),
            decimals_in=18,
            decimals_out=6,
            amount_out=Decimal(2_500),
            amount_out_min=Decimal(2_490),
        ),
    )
    leg = Leg(
        instrument=make_instrument("a", "ETH-USDC", lot="0.001"),
        side=Side.BUY,
        size_base=Decimal("1.005"),
        price_limit=Decimal(2490),
        notional_quote=Decimal(2480),
        fee_quote=Decimal(2),
        frame_seq=7,
    )
    hops = [
        Hop(
            kind=HopKind.POOL,
            venue=step.venue,
            place=step.address,
            row=step.row,
            source=step.source,
            target=step.target,
            amount_in=1.0,
            amount_out=1.0,
            frame_seq=7,
            chain=CHAIN,
        )
        for step in steps
    ]
    hops.append(
        Hop(
            kind=HopKind.BOOK,
            venue=VenueId("a"),
            place="ETH-USDC",
            row=0,
            source=AssetCode("USDC"),
            target=AssetCode("ETH"),
            amount_in=1.0,
            amount_out=1.0,
            frame_seq=7,
        )
    )
    plan = MixedPlan(
        plan_id="r1-7-p",
        opportunity=replaced(base.opportunity, hops=tuple(hops)),
        decided_at_ns=NOW_NS,
        deadline_ns=NOW_NS + NS_PER_S,
        deadline_block=None,
        chain=CHAIN,
        legs=(leg,),
        before=0,
        steps=steps,
        first=first,
        first_why="a test",
        gas=base.gas,
        profit_quote=Decimal("0.01"),
        transfer_quote=Decimal(0),
        net_edge_bps=Decimal(100),
        notional_usd=Decimal(2_500),
        usd_per_quote=Decimal(2_500),
        is_live=True,
    )
    return replaced(plan, **changes)


def make_swap(**changes: Any) -> ChainSwap:
    """Return the swap of `make_mixed`, its bounds no tighter than they have to be."""
    swap = ChainSwap(
        chain_id=CHAIN_ID,
        contract=CONTRACT,
        token_in=WETH,
        amount_in_raw=10**18,
        token_out=USDC,
        amount_out_min_raw=2_490 * 10**6,
        hops=(
            PairHop(pool=POOLS[0], token_in=WETH, token_out=DAI, fee_pips=3_000),
            ConcentratedHop(pool=POOLS[1], token_in=DAI, token_out=USDC),
        ),
        deadline_ts=NOW_NS // NS_PER_S + 5,
    )
    return msgspec.structs.replace(swap, **changes)


def swapping(
    plan: MixedPlan, swap: ChainSwap, *, purpose: Purpose = Purpose.ROUTE, **changes: Any
) -> Given:
    """Return what rules look at of a swap; fields of the transaction may be changed by name."""
    return _given(plan, purpose, make_transaction(data=swap_calldata(swap)), changes)


def allowing(
    plan: MixedPlan, amount_raw: int = 10**18, *, token: str = WETH, **changes: Any
) -> Given:
    """Return what rules look at of an allowance, likewise."""
    data = allow_calldata(changes.pop("spender", CONTRACT), amount_raw)
    one = make_transaction(to=token, data=data, gas_limit=100_000)
    return _given(plan, Purpose.ALLOW, one, changes)


def _given(plan: MixedPlan, purpose: Purpose, one: Any, changes: dict[str, Any]) -> Given:
    named = {name: changes.pop(name) for name in [*changes] if name in one.__struct_fields__}
    code_hash = changes.pop("code_hash", CODE_HASH)
    intent = SigningIntent(
        purpose=purpose,
        transaction=msgspec.structs.replace(one, **named),
        plan=plan,
        code_hash=code_hash,
    )
    given = Given(intent=intent, terms=TERMS, own=OWN, chain=CHAIN)
    return replace(given, **changes)
