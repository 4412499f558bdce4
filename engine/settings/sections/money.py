"""Settings of what may be risked, and of paper money."""

from decimal import Decimal
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from engine.domain.drawdown import SINCE_PATTERN
from engine.settings.sections.section import Section, exact


class LimitsSettings(Section, frozen=True, kw_only=True):
    """Limits; each refuses plans beyond it."""

    net_edge_bps_min: Annotated[
        Decimal,
        exact(
            "least net edge of a plan; 10 bps are 0.1 %",
            unit="bps",
            tightens="up",
            at_least=0,
            at_most=10_000,
        ),
    ] = Decimal(10)
    position_usd: Annotated[
        Decimal,
        exact(
            "largest position: plans under way and what they left over",
            unit="USD",
            tightens="down",
            above=0,
            at_most=10_000_000,
        ),
    ] = Decimal(1_000)
    daily_loss_usd: Annotated[
        Decimal,
        exact(
            "loss in one UTC day after which no plan is made",
            unit="USD",
            tightens="down",
            above=0,
            at_most=10_000_000,
        ),
    ] = Decimal(500)
    drawdown_usd: Annotated[
        Decimal,
        exact(
            "no plan is made once realised profit, of all days, is so far below its highest point",
            unit="USD",
            tightens="down",
            above=0,
            at_most=10_000_000,
        ),
    ] = Decimal(2_000)
    drawdown_since: Annotated[
        str,
        Meta(
            pattern=SINCE_PATTERN,
            description="what was realised before this UTC day or minute (2026-12-01, or "
            "2026-12-01T14:00Z) counts for no drawdown: set it, and start anew, to trade on after "
            "drawdown_usd was reached; nothing: all counts",
        ),
    ] = ""
    kelly_ratio: Annotated[
        Decimal,
        exact(
            "part of the Kelly bet, on what own trades came to against what was expected, that no "
            "plan of orders is larger than; 0: sizes do not go by it",
            unit="of the bet",
            at_least=0,
            at_most=1,
        ),
    ] = Decimal(0)
    gas_day_usd: Annotated[
        Decimal,
        exact(
            "gas that transactions may pay in one UTC day, whatever they earn",
            unit="USD",
            tightens="down",
            above=0,
            at_most=10_000_000,
        ),
    ] = Decimal(2_000)
    orders_per_minute_max: Annotated[
        int,
        Meta(
            extra={"tightens": "down"},
            ge=2,
            le=10_000,
            description="most orders in any minute; a plan has two",
        ),
    ] = 60
    venue_exposure_usd: Annotated[
        Decimal,
        exact(
            "the most that real orders may have under way at a venue, or have left over there",
            unit="USD",
            tightens="down",
            above=0,
            at_most=10_000_000,
        ),
    ] = Decimal(1_000)
    venue_failures_max: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000,
            extra={"unit": "orders", "tightens": "down"},
            description="so many real orders in a row may a venue refuse before it is left alone "
            "for ten minutes",
        ),
    ] = 5
    unproven_s_max: Annotated[
        int,
        Meta(ge=5, le=7_200, extra={"unit": "s", "tightens": "down"},
             description="no plan on a book whose feed has no sequence numbers (Bitstamp, Gemini "
             "l2) if it was last proven equal to the venue's longer ago"),
    ] = 30  # fmt: skip


class PaperSettings(Section, frozen=True, kw_only=True):
    """Simulated execution."""

    seed: Annotated[
        int, Meta(ge=0, le=2**31, description="seed of simulated latencies and of sandbox faults")
    ] = 7
    mode_at_first_start: Annotated[
        Literal["observe", "paper"], Meta(description="mode of a new installation")
    ] = "observe"
    capital_usd: Annotated[
        Decimal,
        exact(
            "paper money at each venue, split evenly over the assets it trades, each at its first "
            "price; trades draw on it (see /balance)",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = Decimal(100_000)
    capital_usd_at: Annotated[
        dict[str, Decimal],
        Meta(
            extra={"unit": "USD", "ge": 0, "le": 1_000_000_000},
            description="paper money where it differs, by venue (split evenly) or by venue:asset, "
            "as coinbase=5000,binance:USDT=20000",
        ),
    ] = msgspec.field(default_factory=dict)
    gas_usd: Annotated[
        Decimal,
        exact(
            "paper money for gas on each chain, in its own asset at its first price; each "
            "transaction draws on it, whether or not it reverts",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = Decimal(1_000)
    wallet_usd: Annotated[
        Decimal,
        exact(
            "paper money in the wallet of each chain, split evenly over the assets of its pools "
            "that order books trade too; routes through books and pools draw on it, and "
            "transactions before they borrow",
            unit="USD",
            at_least=0,
            at_most=1_000_000_000,
        ),
    ] = Decimal(100_000)
    slippage_bps_max: Annotated[
        Decimal,
        exact(
            "how far a leg's limit price may be behind the planned one",
            unit="bps",
            tightens="down",
            at_least=0,
            at_most=1_000,
        ),
    ] = Decimal(5)
    unwind_band_bps: Annotated[
        Decimal,
        exact(
            "how far behind the best price a leftover may be unwound",
            unit="bps",
            tightens="down",
            at_least=0,
            at_most=5_000,
        ),
    ] = Decimal(50)
    late_fill_ratio: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="share of the orders of which the paper venues tell some fills only after "
            "their end, up to 5 s late: a fault, to see how late fills are booked",
        ),
    ] = 0.0
    latency_factor: Annotated[
        float, Meta(ge=0, le=100, description="scales the venues' assumed order latencies")
    ] = 1.0
