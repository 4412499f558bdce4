"""Reports of one decision: what it rested on, and what came of it leg by leg."""

from decimal import Decimal

import msgspec

from engine.bus.overview_reports import OpportunityLine
from engine.bus.report import Report
from engine.bus.truth_lines import TruthLine
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis
from engine.domain.opportunities import Side
from engine.domain.orders import Purpose, Transaction
from engine.domain.plans import OnChain
from engine.domain.stories import TradeStory


class LegLine(msgspec.Struct, frozen=True, kw_only=True):
    """A leg as planned and as filled.

    Attributes:
        other_fees: in assets that are none of the pair's, with their amounts.
    """

    venue: VenueId
    pair: str
    side: str
    purpose: str
    size_base: Decimal
    price_limit: Decimal
    filled_base: Decimal
    price_average: Decimal | None
    fee_quote: Decimal
    frame_seq: int
    fee_base: Decimal = Decimal(0)
    other_fees: tuple[tuple[str, Decimal], ...] = ()


class ExactNow(msgspec.Struct, frozen=True, kw_only=True):
    """An open route in whole lots and units on the market as it is now.

    Attributes:
        refusal: why it has no such figures; then these are 0.
    """

    paid: Decimal
    got: Decimal
    profit_quote: Decimal
    refusal: str = ""


class PlaceShare(msgspec.Struct, frozen=True, kw_only=True):
    """What one place of a leg takes and gives, in units of the leg's two assets.

    Attributes:
        share_ratio: of what the leg's places take together.
    """

    venue: VenueId
    place: str
    amount_in: Decimal
    amount_out: Decimal
    share_ratio: float


class SplitNow(msgspec.Struct, frozen=True, kw_only=True):
    """An open route with its legs shared among parallel places, in whole lots and units, now.

    Attributes:
        more_quote: how much more it gains than through one place for each leg.
        legs: the places of each leg, the largest share first.
    """

    paid: Decimal
    got: Decimal
    profit_quote: Decimal
    more_quote: Decimal
    legs: tuple[tuple[PlaceShare, ...], ...]


class ValuesLine(msgspec.Struct, frozen=True, kw_only=True):
    """What a decision rests on, in the asset that the route starts and ends in; estimates.

    Attributes:
        profit_worst: if every leg gives the least that its slippage bound lets through.
        kill_move_bps: by how much the route's price may fall until nothing is gained.
        gas_price_break_even_gwei: None without gas.
        data_fee: what a rollup takes for the bytes of the transaction, 0 elsewhere.
        confidence: how likely the gain is, or why nobody can tell.
    """

    profit_expected: float
    profit_worst: float
    kill_move_bps: float
    gas_price_break_even_gwei: float | None
    confidence: str
    data_fee: float = 0.0


class WhyReport(Report, frozen=True, kw_only=True):
    """The whole decision on one opportunity, and what came of it.

    Attributes:
        values: of opportunities that the engine still remembers; None for older ones.
        exact_now: of a route that is open and not traded; None for any other.
        split_now: of a route that is open, if sharing its legs among parallel places gains more.
        ended: why it is open no more, in words; nothing if it is, or its market gives nothing.
        story: of a trade, from found to realised; those of earlier versions have none.
        advice: what of background work's bore on the decision, in words.
        truth: what its transaction was predicted, simulated and realised to come to, if it was one.
        is_closing: it is no route, but what closed something that was left over.
    """

    basis: Basis
    market_note: str
    run_id: str
    line: OpportunityLine
    frame_seqs: tuple[int, int, int]
    gross_edge_bps: float
    later_refusals: list[tuple[str, str]]
    legs: list[LegLine]
    execution_id: str | None
    profit_usd: Decimal | None
    expected_usd: Decimal | None
    values: ValuesLine | None = None
    exact_now: ExactNow | None = None
    split_now: SplitNow | None = None
    ended: str = ""
    story: TradeStory | None = None
    advice: list[str] = msgspec.field(default_factory=list)
    truth: TruthLine | None = None
    is_closing: bool = False


def step_lines(plan: OnChain, transaction: Transaction | None) -> list[LegLine]:
    """Return the swaps of a transaction as legs: each buys what it receives with what it gives.

    One that reverted, or is not known to have landed, filled nothing.
    """
    receipt = None if transaction is None else transaction.receipt
    swaps = () if receipt is None else receipt.swaps
    lines = []
    for number, step in enumerate(plan.steps):
        swap = swaps[number] if swaps else None
        lines.append(
            LegLine(
                venue=step.venue,
                pair=f"{step.target}-{step.source}",
                side=Side.BUY.value,
                purpose=Purpose.LEG.value,
                size_base=step.amount_out,
                price_limit=step.amount_in / step.amount_out_min,
                filled_base=Decimal(0) if swap is None else swap.amount_out,
                price_average=None if swap is None else swap.amount_in / swap.amount_out,
                fee_quote=Decimal(0),
                frame_seq=step.frame_seq,
            )
        )
    return lines
