"""Reports on what is open, and on the whole life of one trade."""

from decimal import Decimal

import msgspec

from engine.bus.reports import Report
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Mode, Money


class PositionLine(msgspec.Struct, frozen=True, kw_only=True):
    """What executions left over at a venue.

    Attributes:
        held: negative if owed.
        carry: what it was filled for, in `carry_asset`.
        usd: worth of what is held now, None without a live price.
        money: whether it is on paper or live.
    """

    venue: VenueId
    asset: AssetCode
    held: Decimal
    carry_asset: AssetCode
    carry: Decimal
    usd: Decimal | None
    money: Money = Money.PAPER


class ExposureReport(Report, frozen=True, kw_only=True):
    """What is open now, and what it could come to if nobody looked after it any more.

    Attributes:
        plans: under way.
        plans_usd: the most that they can leave us holding or owing, at the decided prices.
        gas_usd: what their transactions may pay for nothing.
        positions: what earlier executions left over.
        positions_usd: its absolute worth; `unpriced` assets have no live price.
        unrealised_usd: what closing it now would gain.
        today_usd: realised on this UTC day.
        waiting: records that are not yet in the ledger.
        live_plans, live_gas_usd, live_positions_usd, live_today_usd: the same of what is signed
            and sent, of which the figures above hold nothing.
    """

    basis: Basis
    mode: Mode
    is_killed: bool
    is_paused: bool
    plans: int
    plans_usd: Decimal
    gas_usd: Decimal
    positions: list[PositionLine]
    positions_usd: Decimal
    unrealised_usd: Decimal
    unpriced: list[AssetCode]
    today_usd: Decimal
    waiting: int
    live_plans: int = 0
    live_gas_usd: Decimal = Decimal(0)
    live_positions_usd: Decimal = Decimal(0)
    live_today_usd: Decimal = Decimal(0)


class LifeEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to a trade.

    Attributes:
        what: found, decided, intended, sent, filled, landed, reverted, closed, corrected or void.
        text: with what figures, as far as there are any.
        usd: what it was worth then, where that says something.
    """

    at_ns: int
    what: str
    text: str = ""
    usd: Decimal | None = None


class LifeReport(Report, frozen=True, kw_only=True):
    """One trade from the opportunity to the last word on it, oldest first."""

    opportunity_id: str
    execution_id: str
    basis: Basis
    pair: str
    mode: Mode
    profit_usd: Decimal
    money: Money = Money.PAPER
    events: list[LifeEvent]
