"""What earlier runs left of live money, as an engine begins with it."""

from dataclasses import dataclass, field
from decimal import Decimal

from engine.domain.assets import AssetCode
from engine.domain.holdings import Holding, Place
from engine.domain.instruments import VenueId
from engine.domain.measured_edge import MeasuredEdge
from engine.domain.residuals import LastPrice, Residual


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A place whose live money was read on its chain.

    Attributes:
        era: how often the chain had been begun anew.
        began: hash of the first block that was known of it.
    """

    venue: VenueId
    asset: AssetCode
    era: int
    began: str

    @property
    def place(self) -> Place:
        """Where it is."""
        return self.venue, self.asset


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveStart:
    """What the ledger knew of live money at the start.

    Attributes:
        realised_today_usd: of executions closed since the day began; of what is dated beyond that
            day, losses only.
        drawdown_usd: how far all that was realised is below its highest point.
        gas_today_usd: paid for gas since the day began.
        edge: what trades came to against what was expected of them.
        residuals, last_prices: what is left over, and what its assets were worth.
        holdings: of each chain's wallet and recovery address; `opened` those that were read there.
    """

    realised_today_usd: Decimal = Decimal(0)
    residuals: tuple[Residual, ...] = ()
    last_prices: tuple[LastPrice, ...] = ()
    holdings: tuple[Holding, ...] = ()
    opened: tuple[Opened, ...] = ()
    drawdown_usd: Decimal = Decimal(0)
    gas_today_usd: Decimal = Decimal(0)
    edge: MeasuredEdge = field(default_factory=MeasuredEdge)
