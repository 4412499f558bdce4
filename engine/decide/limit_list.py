"""The one list of limits; adding a limit is a file and a line here."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Protocol

from engine.decide.balance import BalanceLimit
from engine.decide.bounds.book_age import StaleLimit
from engine.decide.bounds.daily_loss import DailyLossLimit
from engine.decide.bounds.drawdown import DrawdownLimit
from engine.decide.bounds.edge import EdgeLimit
from engine.decide.bounds.gas_day import GasDayLimit
from engine.decide.bounds.inclusion import InclusionLimit
from engine.decide.bounds.kelly import KellyLimit
from engine.decide.bounds.orders import OrderRateLimit
from engine.decide.bounds.pool_age import StalePoolLimit
from engine.decide.bounds.position import PositionLimit
from engine.decide.bounds.proof import ProofLimit
from engine.decide.bounds.shapes import ShapeLimit
from engine.decide.bounds.venue_exposure import VenueExposureLimit
from engine.decide.bounds.venue_failures import VenueFailuresLimit
from engine.decide.bounds.venues import VenuesLimit
from engine.decide.circumstances import Circumstances
from engine.decide.gates import (
    ChatLimit,
    ExecutorLimit,
    KillLimit,
    LedgerLimit,
    ModeLimit,
    OffLimit,
    PauseLimit,
)
from engine.decide.limit_set import Term
from engine.decide.limits import Limit


class LimitMaker(Protocol):
    """A class of limits."""

    term: Term | None

    def make(self, run: Circumstances) -> Limit:
        """Make the limit of a run."""
        ...


LIMITS: Final[tuple[LimitMaker, ...]] = (
    KillLimit,
    ExecutorLimit,
    PauseLimit,
    ModeLimit,
    OffLimit,
    ChatLimit,
    VenuesLimit,
    VenueFailuresLimit,
    StaleLimit,
    StalePoolLimit,
    ProofLimit,
    EdgeLimit,
    ShapeLimit,
    InclusionLimit,
    PositionLimit,
    VenueExposureLimit,
    KellyLimit,
    BalanceLimit,
    DailyLossLimit,
    DrawdownLimit,
    GasDayLimit,
    OrderRateLimit,
    LedgerLimit,
)
"""In the order in which they are asked."""

SLIPPAGE_BPS: Final = Term(
    name="slippage_bps_max", unit="bps", default=Decimal(5), section="paper", has_zero=True
)
"""No limit of plans, but of how far the price of an order may be behind what its book showed."""

UNWIND_BAND_BPS: Final = Term(
    name="unwind_band_bps", unit="bps", default=Decimal(50), section="paper", has_zero=True
)
"""... or, where an order closes what a plan left over, behind the best price."""

LAG_MS: Final = Term(
    name="lag_ms_max",
    unit="ms",
    default=Decimal(2_000),
    section="markets",
    is_whole=True,
    least=Decimal(1),
)
"""No limit of plans either: books whose frames come later are out of all of them."""


SILENCE_H: Final = Term(
    name="silence_h_max",
    unit="h",
    default=Decimal(8_760),
    section="operator",
    is_whole=True,
    least=Decimal(1),
)
"""Nor this: after so long without a sign of life from the operator it pauses."""


def terms_of(limits: Sequence[LimitMaker]) -> list[Term]:
    """Return the numbers that limits, and what else can be tightened while running, go by."""
    own = [limit.term for limit in limits if limit.term is not None]
    return [*own, SLIPPAGE_BPS, UNWIND_BAND_BPS, LAG_MS, SILENCE_H]
