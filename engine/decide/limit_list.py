"""The one list of limits; adding a limit is a class and a line here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from engine.decide.balance import BalanceLimit
from engine.decide.bounds import (
    DailyLossLimit,
    EdgeLimit,
    OrderRateLimit,
    PositionLimit,
    ProofLimit,
    StaleLimit,
)
from engine.decide.gates import ExecutorLimit, KillLimit, LedgerLimit, ModeLimit, PauseLimit
from engine.decide.limits import Limit, LimitValues
from engine.decide.order_rate import OrderRate
from engine.decide.switches import Switches
from engine.decide.under_way import PlansUnderWay
from engine.market.board import Board
from engine.market.valuation import Valuation
from engine.portfolio.inventory import Inventory
from engine.portfolio.positions import Positions


@dataclass(slots=True, kw_only=True)
class Circumstances:
    """What the limits look at.

    Attributes:
        is_killed, is_ledger_behind: looks of decisions; each is recorded with the run.
        shows_killed, shows_ledger_behind: looks of reports; they leave no trace.
    """

    board: Board
    valuation: Valuation
    positions: Positions
    inventory: Inventory
    is_killed: Callable[[], bool]
    is_ledger_behind: Callable[[], bool]
    shows_killed: Callable[[], bool]
    shows_ledger_behind: Callable[[], bool]
    switches: Switches = field(default_factory=Switches)
    under_way: PlansUnderWay = field(default_factory=PlansUnderWay)
    order_rate: OrderRate = field(default_factory=OrderRate)


def make_limits(values: LimitValues, circumstances: Circumstances) -> Sequence[Limit]:
    """Make the one list of limits, in the order in which they are asked."""
    of = circumstances
    return (
        KillLimit(of.is_killed, of.shows_killed),
        PauseLimit(of.switches),
        ModeLimit(of.switches),
        StaleLimit(of.board, values.age_ms_max),
        ProofLimit(of.board, values.unproven_s_max),
        ExecutorLimit(),
        EdgeLimit(values.edge_bps_min),
        PositionLimit(values.position_usd_max, of.positions, of.under_way, of.valuation),
        BalanceLimit(of.inventory, of.under_way),
        DailyLossLimit(values, of.positions, of.under_way, of.valuation),
        OrderRateLimit(of.order_rate, values.orders_per_min_max),
        LedgerLimit(of.is_ledger_behind, of.shows_ledger_behind),
    )
