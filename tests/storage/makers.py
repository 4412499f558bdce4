"""Makers of valid records, for every test that needs something to store.

Numbers are made from `number`, so records with different numbers differ in all their ids.
"""

from dataclasses import replace
from decimal import Decimal

import msgspec

from engine.bus.notices import LimitHit, Notice, PaperTraded, Started
from engine.bus.records import (
    DepositRecord,
    ExecutionRecord,
    LatchAct,
    LatchRecord,
    NoticeRecord,
    OpportunityClosed,
    OpportunityRecord,
    StateRecord,
)
from engine.domain.assets import Amount, AssetCode
from engine.domain.holdings import Deposit
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.modes import Basis, Mode
from engine.domain.opportunities import Leg, Opportunity, Reason, Side
from engine.domain.orders import (
    Execution,
    Fill,
    Order,
    OrderState,
    Purpose,
    Receipt,
    Swap,
    Transaction,
)
from engine.domain.plans import AtomicPlan, GasBound, LeggedPlan, Plan, Step
from engine.domain.residuals import Residual
from engine.domain.stories import Cause, Difference, TradeStory, Worth
from engine.execute.atomic_story import tell_atomic_story
from tests.reference.gaps import make_gap

NOW_NS = 1_780_000_000_000_000_000
SECOND_NS = 1_000_000_000
DAY_NS = 86_400 * SECOND_NS
RUN_ID = "run1"
BUY_VENUE = VenueId("coinbase")
SELL_VENUE = VenueId("gemini")


def make_instrument(*, venue: VenueId = BUY_VENUE, pair: str = "BTC-USD") -> Instrument:
    return Instrument(
        venue=venue,
        pair=Pair.parse(pair),
        wire_name=pair,
        price_decimals=2,
        size_decimals=8,
        tick_quote=Decimal("0.01"),
        lot_base=Decimal("0.00000001"),
    )


def make_opportunity(
    *, number: int = 1, seen_at_ns: int = NOW_NS, run_id: str = RUN_ID, pair: str = "BTC-USD"
) -> Opportunity:
    return Opportunity(
        opportunity_id=f"{run_id}-{number}",
        seen_at_ns=seen_at_ns,
        frame_seq=1_000 + number,
        hops=make_gap(
            make_instrument(pair=pair), make_instrument(venue=SELL_VENUE, pair=pair)
        ).hops,
        size_base=0.01,
        gross_edge_bps=80.0,
        net_edge_bps=20.0,
        gas_quote=0.0,
        profit_quote=1.2,
    )


def make_opportunity_record(
    *,
    number: int = 1,
    seen_at_ns: int = NOW_NS,
    run_id: str = RUN_ID,
    outcome: str = "planned",
    detail: str = "",
    basis: Basis = Basis.SANDBOX,
) -> OpportunityRecord:
    seen = make_opportunity(number=number, seen_at_ns=seen_at_ns, run_id=run_id)
    return OpportunityRecord(
        opportunity_id=seen.opportunity_id,
        run_id=run_id,
        basis=basis,
        seen_at_ns=seen.seen_at_ns,
        pair=seen.pair,
        quote=seen.quote,
        buy_venue=seen.buy_venue,
        sell_venue=seen.sell_venue,
        hops=seen.hops,
        size_base=seen.size_base,
        gross_edge_bps=seen.gross_edge_bps,
        net_edge_bps=seen.net_edge_bps,
        profit_quote=seen.profit_quote,
        profit_usd=seen.profit_quote,
        outcome=outcome,
        detail=detail,
        frame_seqs=(seen.frame_seq, 11, 12),
    )


def make_closed(*, number: int = 1, closed_at_ns: int = NOW_NS + SECOND_NS) -> OpportunityClosed:
    return OpportunityClosed(
        opportunity_id=f"{RUN_ID}-{number}",
        closed_at_ns=closed_at_ns,
        peak_profit_quote=1.5,
        refusals=((Reason.ORDER_RATE_LIMIT, "3 orders in 1 s, limit 2"),),
        ended="gave way to run-2, which gains 424.10 USD",
    )


def make_plan(*, number: int = 1, run_id: str = RUN_ID, seen_at_ns: int = NOW_NS) -> LeggedPlan:
    opportunity = make_opportunity(number=number, run_id=run_id, seen_at_ns=seen_at_ns)
    return LeggedPlan(
        plan_id=f"plan-{run_id}-{number}",
        opportunity=opportunity,
        decided_at_ns=seen_at_ns + 1_000,
        deadline_ns=seen_at_ns + SECOND_NS,
        legs=(
            _make_leg(make_instrument(), Side.BUY, price="60000.00", frame_seq=11),
            _make_leg(make_instrument(venue=SELL_VENUE), Side.SELL, price="60480.00", frame_seq=12),
        ),
        profit_quote=Decimal("1.10"),
        transfer_quote=Decimal("0.10"),
        net_edge_bps=Decimal("18.3"),
        notional_usd=Decimal(600),
        usd_per_quote=Decimal(1),
    )


def make_execution(
    *,
    number: int = 1,
    run_id: str = RUN_ID,
    closed_at_ns: int = NOW_NS,
    profit_usd: Decimal = Decimal("0.9876543210123456789"),
    residual_base: Decimal = Decimal(0),
) -> Execution:
    plan = make_plan(number=number, run_id=run_id)
    name = f"{run_id}-{number}"
    return Execution(
        execution_id=f"exec-{name}",
        plan_id=plan.plan_id,
        opportunity_id=plan.opportunity.opportunity_id,
        closed_at_ns=closed_at_ns,
        orders=tuple(
            _make_order(plan, leg, name=f"{name}-{index}", closed_at_ns=closed_at_ns)
            for index, leg in enumerate(plan.legs)
        ),
        quote=AssetCode("USD"),
        profit_quote=profit_usd,
        profit_usd=profit_usd,
        expected_usd=Decimal("1.10"),
        residuals=(make_residual(residual_base, residual_base * 60_000),) if residual_base else (),
        story=make_story(profit_usd),
    )


def make_residual(
    held: Decimal,
    carry: Decimal,
    *,
    pair: str = "BTC-USD",
    venues: tuple[VenueId, VenueId] = (BUY_VENUE, SELL_VENUE),
) -> Residual:
    """What is left over of a gap: too much where it was bought, too little where it was sold."""
    base, _, quote = pair.partition("-")
    return Residual(
        venue=venues[0 if held > 0 else 1],
        held=Amount(held, AssetCode(base)),
        carry=Amount(carry, AssetCode(quote)),
    )


def make_story(profit_usd: Decimal) -> TradeStory:
    found, realised = (Worth(quote=of, usd=of) for of in (Decimal("3.26"), profit_usd))
    sized, none = (Worth(quote=of, usd=of) for of in (Decimal("1.10"), Decimal(0)))
    return TradeStory(
        found=found,
        to_sized=(Difference(cause=Cause.SIZE_LIMIT, worth=sized - found),),
        sized=sized,
        to_realised=(Difference(cause=Cause.LATENCY, worth=realised - sized),),
        realised=realised,
        gross=realised,
        fee=none,
        transfer=none,
        orders=(),
        limit="used 0.00 USD, limit 1000 USD",
    )


def make_execution_record(
    *,
    number: int = 1,
    run_id: str = RUN_ID,
    closed_at_ns: int = NOW_NS,
    profit_usd: Decimal = Decimal("0.9876543210123456789"),
    residual_base: Decimal = Decimal(0),
    basis: Basis = Basis.SANDBOX,
) -> ExecutionRecord:
    return ExecutionRecord(
        run_id=run_id,
        basis=basis,
        mode=Mode.PAPER,
        plan=make_plan(number=number, run_id=run_id),
        execution=make_execution(
            number=number,
            run_id=run_id,
            closed_at_ns=closed_at_ns,
            profit_usd=profit_usd,
            residual_base=residual_base,
        ),
    )


def encoded(plan: Plan) -> str:
    """Return a plan as it is stored."""
    return msgspec.json.encode(plan).decode()


def make_atomic_plan(*, number: int = 1, run_id: str = RUN_ID) -> AtomicPlan:
    def step(source: str, target: str, amount_in: str, amount_out: str) -> Step:
        return Step(
            venue=VenueId("uniswap_v2@ethereum"),
            address=f"0x{target}",
            row=0,
            source=AssetCode(source),
            target=AssetCode(target),
            amount_in=Decimal(amount_in),
            amount_out=Decimal(amount_out),
            amount_out_min=Decimal(amount_out),
            decimals_in=18,
            decimals_out=18,
            frame_seq=7,
        )

    return AtomicPlan(
        plan_id=f"plan-{run_id}-{number}",
        opportunity=make_opportunity(number=number, run_id=run_id),
        decided_at_ns=NOW_NS,
        deadline_ns=NOW_NS + SECOND_NS,
        deadline_block=102,
        chain="ethereum",
        steps=(step("USD", "BTC", "1000", "0.5"), step("BTC", "USD", "0.5", "1010")),
        has_flash_loan=True,
        flash_fee=Decimal("0.5"),
        gas=GasBound(
            asset=AssetCode("ETH"),
            units=180_000,
            price_gwei=Decimal(1),
            amount=Decimal("0.00018"),
            quote=Decimal("0.36"),
        ),
        profit_min_quote=Decimal(0),
        profit_quote=Decimal("9.14"),
        net_edge_bps=Decimal("91.4"),
        notional_usd=Decimal(1_000),
        usd_per_quote=Decimal(1),
    )


def make_atomic_record(*, number: int = 1, why: str = "", run_id: str = RUN_ID) -> ExecutionRecord:
    """A transaction that landed, or reverted and says why."""
    plan = make_atomic_plan(number=number, run_id=run_id)
    swaps = tuple(
        Swap(
            venue=step.venue,
            address=step.address,
            source=step.source,
            target=step.target,
            amount_in=step.amount_in,
            amount_out=step.amount_out,
            frame_seq=step.frame_seq,
        )
        for step in plan.steps
    )
    receipt = Receipt(
        why=why,
        swaps=() if why else swaps,
        flash_fee=Decimal(0) if why else plan.flash_fee,
        gas_asset=plan.gas.asset,
        gas=plan.gas.amount,
        gas_quote=plan.gas.quote,
        landed_at_ns=NOW_NS,
        block=101,
    )
    transaction = Transaction(
        client_order_id=f"{plan.plan_id}-t",
        plan_id=plan.plan_id,
        chain=plan.chain,
        wallet=plan.wallet,
        sent_at_ns=NOW_NS,
        state=OrderState.CANCELLED if why else OrderState.FILLED,
        receipt=receipt,
    )
    profit = transaction.gain - receipt.gas_quote
    execution = Execution(
        execution_id=f"{plan.plan_id}-x",
        plan_id=plan.plan_id,
        opportunity_id=plan.opportunity.opportunity_id,
        closed_at_ns=NOW_NS,
        orders=(),
        quote=AssetCode("USD"),
        profit_quote=profit,
        profit_usd=profit,
        expected_usd=plan.profit_quote,
        transaction=transaction,
    )
    story = tell_atomic_story(plan, execution, None)
    return ExecutionRecord(
        run_id=run_id,
        basis=Basis.SANDBOX,
        mode=Mode.PAPER,
        plan=plan,
        execution=replace(execution, story=story),
    )


def make_deposit_record(
    *, number: int = 1, deposit: Deposit | None = None, basis: Basis = Basis.SANDBOX
) -> DepositRecord:
    return DepositRecord(
        record_id=f"deposit-{number}",
        run_id=RUN_ID,
        basis=basis,
        at_ns=NOW_NS,
        deposit=deposit
        or Deposit(
            venue=BUY_VENUE,
            added=Amount.of("5000.5", "USD"),
            started=Amount.of("5000.5", "USD"),
            started_usd=Decimal("5000.5"),
        ),
    )


def make_state_record(
    *,
    number: int = 1,
    at_ns: int = NOW_NS,
    mode: Mode = Mode.PAPER,
    is_paused: bool = False,
    limits: dict[str, Decimal] | None = None,
    by: str = "operator",
    action: str = "mode",
) -> StateRecord:
    return StateRecord(
        record_id=f"state-{number}",
        at_ns=at_ns,
        mode=mode,
        is_paused=is_paused,
        limits=limits or {},
        by=by,
        action=action,
    )


def make_notice(*, number: int = 1, at_ns: int = NOW_NS) -> Notice:
    return LimitHit(
        at_ns=at_ns,
        basis=Basis.SANDBOX,
        reason=Reason.POSITION_LIMIT,
        detail=f"notional {number} USD, limit 1000 USD",
    )


def make_started(*, at_ns: int = NOW_NS, run_id: str = RUN_ID) -> Started:
    return Started(
        at_ns=at_ns,
        basis=Basis.SANDBOX,
        run_id=run_id,
        mode=Mode.OBSERVE,
        is_killed=False,
        is_paused=False,
        market_note="recorded markets",
    )


def make_paper_traded(*, number: int = 1, at_ns: int = NOW_NS) -> PaperTraded:
    return PaperTraded(
        at_ns=at_ns,
        basis=Basis.SANDBOX,
        execution_id=f"exec-{RUN_ID}-{number}",
        opportunity_id=f"{RUN_ID}-{number}",
        pair="BTC-USD",
        buy_venue=BUY_VENUE,
        sell_venue=SELL_VENUE,
        size_base=Decimal("0.01"),
        profit_usd=Decimal("0.99"),
        expected_usd=Decimal("1.10"),
    )


def make_notice_record(
    *, number: int = 1, at_ns: int = NOW_NS, notice: Notice | None = None
) -> NoticeRecord:
    return NoticeRecord(
        record_id=f"notice-{number}",
        notice=notice if notice is not None else make_notice(number=number, at_ns=at_ns),
    )


def make_latch_record(
    *, number: int = 1, at_ns: int = NOW_NS, act: LatchAct = LatchAct.KILL, why: str = ""
) -> LatchRecord:
    return LatchRecord(record_id=f"latch-{number}", at_ns=at_ns, act=act, by="operator", why=why)


def _make_leg(instrument: Instrument, side: Side, *, price: str, frame_seq: int) -> Leg:
    size_base = Decimal("0.01000000")
    return Leg(
        instrument=instrument,
        side=side,
        size_base=size_base,
        price_limit=Decimal(price),
        notional_quote=Decimal(price) * size_base,
        fee_quote=Decimal("1.80"),
        frame_seq=frame_seq,
    )


def _make_order(plan: LeggedPlan, leg: Leg, *, name: str, closed_at_ns: int) -> Order:
    half = leg.size_base / 2
    return Order(
        client_order_id=f"order-{name}",
        plan_id=plan.plan_id,
        purpose=Purpose.LEG,
        instrument=leg.instrument,
        side=leg.side,
        size_base=leg.size_base,
        price_limit=leg.price_limit,
        sent_at_ns=plan.decided_at_ns,
        arrives_at_ns=closed_at_ns,
        state=OrderState.FILLED,
        fills=tuple(
            Fill(
                fill_id=f"fill-{name}-{part}",
                client_order_id=f"order-{name}",
                filled_at_ns=closed_at_ns,
                price=leg.price_limit,
                size_base=half,
                fee_quote=leg.fee_quote / 2,
                frame_seq=leg.frame_seq + 100,
            )
            for part in range(2)
        ),
    )
