"""A plan, the route that carries it out, and what is asked of a signer for it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Hop, HopKind, Opportunity
from engine.domain.plans import AtomicPlan, GasBound, Step
from engine.domain.routes_on_chain import (
    ChainRoute,
    ConcentratedHop,
    PairHop,
    Source,
    SourceKind,
)
from engine.domain.signing import (
    Purpose,
    RefusalKind,
    Signed,
    SigningIntent,
    SignRefusal,
    UnsignedTransaction,
)
from engine.domain.units import NS_PER_S
from engine.sending.encoding import (
    calldata,
    disallow_calldata,
    pause_calldata,
    revoke_calldata,
    withdraw_calldata,
)
from engine.signing.terms import SigningTerms

NOW_NS = 1_790_000_000 * NS_PER_S
CHAIN = "base"
CHAIN_ID = 8_453
CONTRACT = "0x" + "c0" * 20
CODE_HASH = "0x" + "ab" * 32
LENDER = "0x" + "1e" * 20
WETH = "0x4200000000000000000000000000000000000006"
USDC = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913"
POOLS = ("0x" + "a1" * 20, "0x" + "a2" * 20)
GWEI = 10**9

TERMS = SigningTerms(
    chain_ids={CHAIN: CHAIN_ID, "ethereum": 1},
    contracts={CHAIN: {CONTRACT: CODE_HASH}},
    gas_day_wei={CHAIN: 10**17, "ethereum": 10**17},
    notional_day_usd=Decimal(100_000),
    signatures_day=1_000,
)


def make_plan(number: int = 1, **changes: Any) -> AtomicPlan:
    """Return a plan that borrows 1 ETH, sells it for USDC and buys more ETH back."""
    hops = tuple(
        Hop(
            kind=HopKind.POOL,
            venue=VenueId("uniswap_v2@base"),
            place=pool,
            row=row,
            source=AssetCode(source),
            target=AssetCode(target),
            amount_in=1.0,
            amount_out=1.0,
            frame_seq=7,
            chain=CHAIN,
        )
        for row, (pool, source, target) in enumerate(
            zip(POOLS, ("ETH", "USDC"), ("USDC", "ETH"), strict=True)
        )
    )
    plan = AtomicPlan(
        plan_id=f"r1-{number}-p",
        opportunity=Opportunity(
            opportunity_id=f"r1-{number}",
            seen_at_ns=NOW_NS,
            frame_seq=7,
            hops=hops,
            size_base=2_500.0,
            gross_edge_bps=100.0,
            net_edge_bps=90.0,
            gas_quote=0.001,
            profit_quote=0.01,
        ),
        decided_at_ns=NOW_NS,
        deadline_ns=NOW_NS + NS_PER_S,
        deadline_block=102,
        chain=CHAIN,
        steps=(
            _step(0, ("ETH", "USDC"), ("1", "2500"), (18, 6), "2500"),
            _step(1, ("USDC", "ETH"), ("2500", "1.01"), (6, 18), "1.0055"),
        ),
        has_flash_loan=True,
        flash_fee=Decimal("0.0005"),
        gas=GasBound(
            asset=AssetCode("ETH"),
            units=300_000,
            price_gwei=Decimal(10),
            amount=Decimal("0.0031"),
            quote=Decimal("0.0031"),
            data_amount=Decimal("0.0001"),
        ),
        profit_min_quote=Decimal("0.004"),
        profit_quote=Decimal("0.0064"),
        net_edge_bps=Decimal(64),
        notional_usd=Decimal(2_500),
        usd_per_quote=Decimal(2_500),
    )
    return msgspec.structs.replace(plan, **changes)


def _step(
    row: int, swap: tuple[str, str], amounts: tuple[str, str], decimals: tuple[int, int], least: str
) -> Step:
    return Step(
        venue=VenueId("uniswap_v2@base"),
        address=POOLS[row],
        row=row,
        source=AssetCode(swap[0]),
        target=AssetCode(swap[1]),
        amount_in=Decimal(amounts[0]),
        amount_out=Decimal(amounts[1]),
        amount_out_min=Decimal(least),
        decimals_in=decimals[0],
        decimals_out=decimals[1],
        frame_seq=7,
    )


def make_route(**changes: Any) -> ChainRoute:
    """Return the route of `make_plan`, its bounds no tighter than they have to be."""
    route = ChainRoute(
        chain_id=CHAIN_ID,
        contract=CONTRACT,
        source=Source(
            kind=SourceKind.AAVE_V3,
            token=WETH,
            amount_raw=10**18,
            address=LENDER,
            fee_raw=5 * 10**14,
        ),
        hops=(
            PairHop(pool=POOLS[0], token_in=WETH, token_out=USDC, fee_pips=3_000),
            ConcentratedHop(pool=POOLS[1], token_in=USDC, token_out=WETH),
        ),
        profit_min_raw=5 * 10**15,
        deadline_ts=NOW_NS // NS_PER_S + 5,
        tip_bps=0,
    )
    return msgspec.structs.replace(route, **changes)


def make_transaction(route: ChainRoute | None = None, **changes: Any) -> UnsignedTransaction:
    """Return the transaction of a route."""
    one = UnsignedTransaction(
        chain_id=CHAIN_ID,
        nonce=7,
        to=CONTRACT,
        value_wei=0,
        gas_limit=300_000,
        max_fee_per_gas_wei=8 * GWEI,
        max_priority_fee_per_gas_wei=GWEI,
        data=calldata(route or make_route()),
    )
    return msgspec.structs.replace(one, **changes)


def make_intent(
    plan: AtomicPlan | None = None,
    route: ChainRoute | None = None,
    *,
    purpose: Purpose = Purpose.ROUTE,
    transaction: UnsignedTransaction | None = None,
    **changes: Any,
) -> SigningIntent:
    """Return what is asked for a plan; fields of the transaction may be changed by name."""
    one = transaction or make_transaction(route)
    named = {name: changes.pop(name) for name in [*changes] if name in one.__struct_fields__}
    return SigningIntent(
        purpose=purpose,
        transaction=msgspec.structs.replace(one, **named),
        plan=plan or make_plan(),
        code_hash=CODE_HASH,
        **changes,
    )


def make_protective(purpose: Purpose, **changes: Any) -> SigningIntent:
    """Return what is asked to take a risk away; `data` and `to` as they have to be."""

    data = {
        Purpose.CANCEL: b"",
        Purpose.PAUSE: pause_calldata(),
        Purpose.WITHDRAW: withdraw_calldata(WETH),
        Purpose.REVOKE: revoke_calldata(WETH, LENDER),
        Purpose.DISALLOW: disallow_calldata(LENDER),
    }[purpose]
    plan = changes.pop("plan", None)
    one = msgspec.structs.replace(
        make_transaction(), **{"data": data, "gas_limit": 100_000, **changes}
    )
    return SigningIntent(purpose=purpose, transaction=one, code_hash=CODE_HASH, plan=plan)


@dataclass
class Word:
    """Says whether something may be signed; what a latch and a mode say in the product."""

    why: SignRefusal | None = None
    asked: list[Purpose] = field(default_factory=list)

    def __call__(self, intent: SigningIntent) -> SignRefusal | None:
        """See `desk.Leave`."""
        self.asked.append(intent.purpose)
        return self.why


def kind_of(reply: Signed | SignRefusal) -> RefusalKind | None:
    """Return why something was refused; None if it was signed."""
    return reply.kind if isinstance(reply, SignRefusal) else None
