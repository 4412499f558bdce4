"""The core of a run: its parts, as reports, answers and the roles reach them."""

from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.checkpoint import CoreFrame
from engine.core.market_rows import MarketRows
from engine.decide.account import LiveAccount
from engine.decide.decider import Decider
from engine.decide.switches import Switches
from engine.decide.under_way import PlansUnderWay
from engine.detect.graph.moved_pair import KnownPool
from engine.detect.moving.moving_pools import MovingPools
from engine.detect.moving.pool_health import PoolHealth
from engine.detect.screening.detector import Detector
from engine.domain.modes import Basis, basis_of
from engine.market.advice_book import AdviceBook
from engine.market.board import Board
from engine.market.freshness import Freshness
from engine.market.gas_book import GasBook
from engine.market.valuation import Valuation
from engine.operate.hot_path import HotPath
from engine.operate.journal.run_journal import RunJournal
from engine.operate.run_header import RunHeader
from engine.operate.spread_watch import SpreadWatch
from engine.portfolio.fee_set import FeeSet
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions
from engine.quote.route import RouteConfirmer
from engine.quote.split import SplitConfirmer


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """The parts of a run that others look at.

    Attributes:
        pools: as the detector has them now, by number.
        gas: prices by chain, as they are now.
        advice: what background work advises now.
        frame: what a checkpoint is the state of.
        positions, inventory, under_way: of paper; `live` of what is signed and sent.
    """

    advice: AdviceBook
    header: RunHeader
    board: Board
    rows: MarketRows
    freshness: Freshness
    decider: Decider
    route_confirmer: RouteConfirmer
    split_confirmer: SplitConfirmer
    pools: Mapping[int, KnownPool]
    gas: GasBook
    moving_pools: MovingPools
    pool_health: PoolHealth
    detector: Detector
    positions: Positions
    inventory: Inventory
    fees: FeeSet
    under_way: PlansUnderWay
    live: LiveAccount
    valuation: Valuation
    journal: RunJournal
    control: Switches
    hot_path: HotPath
    frame: CoreFrame
    spread_watch: SpreadWatch

    @property
    def basis(self) -> Basis:
        """Where the figures of this run come from, in the mode as it is now."""
        return basis_of(self.header.basis, self.decider.shown)

    @property
    def plans(self) -> int:
        """How many plans are under way, on paper and live."""
        return len(self.under_way) + len(self.live.under_way)

    @property
    def started_at_ns(self) -> int:
        """When the run started, by the clock as it is now."""
        return self.header.started_at_ns + self.hot_path.stepped_ns
