"""The parts of a run that an input may reach."""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.core.market_rows import MarketRows
from engine.core.pipeline import Pipeline
from engine.core.pool_market import PoolMarket
from engine.decide.decider import Decider
from engine.decide.switches import Switches
from engine.market.lateness import Lateness
from engine.portfolio.inventory import Inventory
from engine.ports import Feed


@dataclass(slots=True, kw_only=True)
class Middle:
    """Everything between the inputs and the decisions; it knows no clock, network or database.

    Attributes:
        feeds: by stream.
        is_connected: by stream.
        stepped_ns: sum of all steps of the clock: instants before one are off by it.
    """

    feeds: Sequence[Feed]
    is_connected: list[bool]
    lateness: Lateness
    rows: MarketRows
    pools: PoolMarket
    pipeline: Pipeline
    switches: Switches
    decider: Decider
    inventory: Inventory
    stepped_ns: int = 0
