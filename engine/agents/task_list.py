"""THE list of background tasks: what is in it is scheduled, shown, and interrupted by the tests."""

from typing import Any, Final

from engine.agents.batch_posting import batch_posting
from engine.agents.block_timing import Row as TimingRow
from engine.agents.block_timing import block_timing
from engine.agents.bridge_gaps import bridge_gaps
from engine.agents.competing_bots import competing_bots
from engine.agents.competitor_behaviour import competitor_behaviour
from engine.agents.encodings import ENCODINGS
from engine.agents.fork_tests import FORK_TESTS
from engine.agents.gas_costs import Row as CostRow
from engine.agents.gas_costs import gas_costs
from engine.agents.liquidity_map import Row as MapRow
from engine.agents.liquidity_map import liquidity_map
from engine.agents.market_trend import MARKET_TREND
from engine.agents.model_retraining import MODEL_RETRAINING
from engine.agents.path_discovery import path_discovery
from engine.agents.route_gas import ROUTE_GAS
from engine.agents.sharing import sharing
from engine.agents.strategy_effectiveness import STRATEGY_EFFECTIVENESS
from engine.agents.success_patterns import SUCCESS_PATTERNS
from engine.agents.team_performance import TEAM_PERFORMANCE
from engine.agents.validator_response import validator_response
from engine.background.ports import Task

ARBITRUM: Final = "arbitrum_spotter"
BASE: Final = "base_analyst"
POLYGON: Final = "polygon_specialist"

CHAINS_LEARNED: Final = {"arbitrum": ARBITRUM, "base": BASE, "polygon": POLYGON}
"""Chains that have an agent. A task of one that is not followed waits, and says so."""

_COSTS: Final = (
    CostRow(chain="arbitrum", name="arbitrum_gas_trend", agent=ARBITRUM, kind="gas_trend"),
    CostRow(chain="base", name="base_fee_structure", agent=BASE, kind="fee_structure"),
    CostRow(chain="polygon", name="polygon_gas_volatility", agent=POLYGON, kind="gas_trend"),
)
_TIMES: Final = (
    TimingRow(
        chain="arbitrum",
        name="arbitrum_sequencer_timing",
        agent=ARBITRUM,
        kind="sequencer_timing",
        has_rule=False,
    ),
    TimingRow(
        chain="base",
        name="base_op_stack_performance",
        agent=BASE,
        kind="block_time",
        has_rule=True,
    ),
    TimingRow(
        chain="polygon",
        name="polygon_block_times",
        agent=POLYGON,
        kind="block_time",
        has_rule=True,
    ),
)
_MAPS: Final = (
    MapRow(chain="arbitrum", name="arbitrum_liquidity_map", agent=ARBITRUM, every_s=900.0),
    MapRow(chain="base", name="base_liquidity_map", agent=BASE, every_s=600.0),
)

TASKS: Final[tuple[Task[Any], ...]] = (
    *map(gas_costs, _COSTS),
    *map(block_timing, _TIMES),
    *(competing_bots(chain, agent) for chain, agent in CHAINS_LEARNED.items()),
    *map(liquidity_map, _MAPS),
    batch_posting("arbitrum", ARBITRUM),
    bridge_gaps("polygon", POLYGON),
    validator_response("polygon", POLYGON),
    SUCCESS_PATTERNS,
    sharing(tuple(CHAINS_LEARNED)),
    TEAM_PERFORMANCE,
    *(path_discovery(chain) for chain in CHAINS_LEARNED),
    STRATEGY_EFFECTIVENESS,
    MARKET_TREND,
    *(competitor_behaviour(chain) for chain in CHAINS_LEARNED),
    MODEL_RETRAINING,
    FORK_TESTS,
    ROUTE_GAS,
    ENCODINGS,
)
