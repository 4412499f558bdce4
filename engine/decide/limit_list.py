"""The one list of limits; adding a limit is a file and a line here."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, Protocol

from engine.decide.balance import BalanceLimit
from engine.decide.bounds.book_age import StaleLimit
from engine.decide.bounds.daily_loss import DailyLossLimit
from engine.decide.bounds.edge import EdgeLimit
from engine.decide.bounds.orders import OrderRateLimit
from engine.decide.bounds.pool_age import StalePoolLimit
from engine.decide.bounds.position import PositionLimit
from engine.decide.bounds.proof import ProofLimit
from engine.decide.circumstances import Circumstances
from engine.decide.gates import ExecutorLimit, KillLimit, LedgerLimit, ModeLimit, PauseLimit
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
    PauseLimit,
    ModeLimit,
    StaleLimit,
    StalePoolLimit,
    ProofLimit,
    ExecutorLimit,
    EdgeLimit,
    PositionLimit,
    BalanceLimit,
    DailyLossLimit,
    OrderRateLimit,
    LedgerLimit,
)
"""In the order in which they are asked."""

SLIPPAGE_BPS: Final = Term(
    name="slippage_bps_max", unit="bps", default=Decimal(5), section="paper", has_zero=True
)
"""No limit of plans, but of how far the price of an order may be behind what its book showed."""


def terms_of(limits: Sequence[LimitMaker]) -> list[Term]:
    """Return the numbers that limits, and the prices of orders, go by."""
    return [*(limit.term for limit in limits if limit.term is not None), SLIPPAGE_BPS]
