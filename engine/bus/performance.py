"""Reports on what trading came to over a time: exact sums, and whether all books agree."""

from decimal import Decimal

import msgspec

from engine.bus.reports import Report
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Money
from engine.domain.performance import Missed, Sums, TradeMark


class PerformanceReport(Report, frozen=True, kw_only=True):
    """What trading came to between two instants.

    Attributes:
        basis: of all figures; None if the ledger keeps several.
        money: of all figures.
        upkeep_usd: of live money, what transactions have cost that carry no plan out.
        all: over all trades.
        groups: the same by name, the largest first.
        drawdown: largest fall of the cumulative profit from its peak, at or above 0.
        points: (closed_at_ns, cumulative profit, drawdown there) for a chart, thinned.
        best, worst: of the trades, None without any.
        outcomes: how many opportunities were found, by what was decided on them first.
        missed: refusals that lasted long enough to have been filled, by reason; estimates.
        notices: told in this time, by kind.
        is_summed_twice_alike: adding up trade by trade comes to the same.
    """

    basis: Basis | None
    since_ns: int
    until_ns: int
    all: Sums
    groups: list[tuple[str, Sums]]
    drawdown: Decimal
    points: list[tuple[int, Decimal, Decimal]]
    best: TradeMark | None
    worst: TradeMark | None
    outcomes: dict[str, int]
    missed: list[Missed]
    notices: dict[str, int]
    is_summed_twice_alike: bool
    money: Money = Money.PAPER
    upkeep_usd: Decimal = Decimal(0)


class PlaceDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A place of which two books say different amounts."""

    engine_id: str
    venue: VenueId
    asset: AssetCode
    held: Decimal
    from_fills: Decimal
    money: Money = Money.PAPER


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What the ledger says is held at a place."""

    engine_id: str
    venue: VenueId
    asset: AssetCode
    held: Decimal
    money: Money = Money.PAPER


class BooksReport(Report, frozen=True, kw_only=True):
    """Whether the ledger's balances are what deposits, fills and transactions add up to.

    Attributes:
        held: the balances, of one basis if the ledger has one.
        differences: places where they are not.
    """

    held: list[Held]
    differences: list[PlaceDifference]
