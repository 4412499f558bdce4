"""Reports of money: what is held, what was traded, what that came to."""

from decimal import Decimal

import msgspec

from engine.bus.report import Report
from engine.domain.assets import Amount, AssetCode
from engine.domain.engines import MAIN
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Money
from engine.domain.rebalancing import Transfer
from engine.domain.stories import TradeStory


class BalanceLine(msgspec.Struct, frozen=True, kw_only=True):
    """An asset at a venue.

    Attributes:
        money: whether it is paper, or really on chain.
        held: what is there; of it `reserved` for plans under way.
        usd: worth of what is held now, None while no live book values the asset.
        started, started_usd: what it was set to last, and what that was worth then.
    """

    venue: VenueId
    asset: str
    held: Decimal
    reserved: Decimal
    usd: Decimal | None
    started: Decimal
    started_usd: Decimal
    money: Money = Money.PAPER


class BalanceReport(Report, frozen=True, kw_only=True):
    """The paper inventory that trades draw on, and what is on chain of live money.

    Attributes:
        lines: by money, venue and asset.
        waiting: places that get their capital once their asset has a price.
    """

    basis: Basis
    market_note: str
    lines: list[BalanceLine]
    waiting: int


class PlacePast(msgspec.Struct, frozen=True, kw_only=True):
    """What a place held at instants of a time."""

    venue: VenueId
    asset: AssetCode
    held: list[Decimal]


class InventoryPast(Report, frozen=True, kw_only=True):
    """What all places of one kind of money held, from the deposits and trades of the ledger.

    Attributes:
        at_ns: the instants, oldest first; what a place held at each stands in its own list.
        places: by venue and asset, but for those that never held anything in that time.
    """

    money: Money
    at_ns: list[int]
    places: list[PlacePast]


class FreeAt(msgspec.Struct, frozen=True, kw_only=True):
    """What is free at a place: there, and not reserved."""

    venue: VenueId
    asset: AssetCode
    free: Decimal


class RebalancingReport(Report, frozen=True, kw_only=True):
    """Transfers that would pay; a person makes them.

    Attributes:
        missed: routes that were refused for want of balance.
        left_out: older routes of that time that were not looked at.
    """

    transfers: list[Transfer]
    missed: int
    left_out: int


class TradeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One finished execution.

    Attributes:
        assets: what each leg receives.
        corrects: the execution of which this was told only after it had ended; empty for one.
        engine_id: whose it is.
        money: whether it was on paper or live.
        closes: what had been left over that it traded back, negative if owed; None for a route.
    """

    execution_id: str
    opportunity_id: str
    closed_at_ns: int
    basis: Basis
    pair: str
    buy_venue: VenueId
    sell_venue: VenueId
    size_base: Decimal
    profit_usd: Decimal
    expected_usd: Decimal
    assets: tuple[AssetCode, ...] = ()
    left_over: tuple[Amount, ...] = ()
    story: TradeStory | None = None
    corrects: str = ""
    engine_id: str = MAIN
    money: Money = Money.PAPER
    closes: Decimal | None = None


class TradesReport(Report, frozen=True, kw_only=True):
    """Newest executions first; `total` counts all that are stored.

    Attributes:
        engines: all that the ledger knows.
    """

    trades: list[TradeLine]
    total: int
    engines: list[str] = msgspec.field(default_factory=list)


class PnlPart(msgspec.Struct, frozen=True, kw_only=True):
    """Realised profit of one kind of money, in USD.

    Attributes:
        points: (closed_at_ns, cumulative profit) of each execution in the time asked, for a chart.
        by_route: profit and number of executions by ``pair buy→sell``, those that
            closed a leftover by ``pair closing at venue``.
        by_engine: profit and number of executions of every engine that the ledger knows.
        upkeep_usd, upkeep: what transactions have cost that carry no plan out, and how many of them
            there were; what had no price when it was told is not in it, but counted as `unpriced`.
    """

    realised_usd: Decimal = Decimal(0)
    expected_usd: Decimal = Decimal(0)
    executions: int = 0
    wins: int = 0
    by_route: dict[str, tuple[Decimal, int]] = msgspec.field(default_factory=dict)
    points: list[tuple[int, Decimal]] = msgspec.field(default_factory=list)
    by_engine: dict[str, tuple[Decimal, int]] = msgspec.field(default_factory=dict)
    upkeep_usd: Decimal = Decimal(0)
    upkeep: int = 0
    unpriced: int = 0

    @property
    def net_usd(self) -> Decimal:
        """What all of it came to."""
        return self.realised_usd - self.upkeep_usd


class PnlReport(Report, frozen=True, kw_only=True):
    """Realised profit from fills, in USD: of paper, and beside it of live money.

    Attributes:
        points, by_route, by_engine: see `PnlPart`.
        by_basis: profit by basis, so that sandbox and live paper figures are never added up.
        live: of what was signed and sent, which no figure above holds any of.
    """

    since_ns: int
    realised_usd: Decimal
    expected_usd: Decimal
    executions: int
    wins: int
    by_route: dict[str, tuple[Decimal, int]]
    by_basis: dict[str, Decimal]
    points: list[tuple[int, Decimal]]
    by_engine: dict[str, tuple[Decimal, int]] = msgspec.field(default_factory=dict)
    live: PnlPart = PnlPart()


class ExportReport(Report, frozen=True, kw_only=True):
    """A file for the operator.

    Attributes:
        check: what in it was compared with the ledger.
        is_alike: it came to the same.
    """

    file_name: str
    content: bytes
    rows: int
    check: str = ""
    is_alike: bool = True
