"""THE list of kinds of discoveries: what a task finds is of one of them, or is refused."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryKind:
    """A kind of discovery.

    Attributes:
        name: as a discovery says it.
        title: for a person, at most 24 characters.
        figure: name of the figure that matters most, which is drawn over time.
    """

    name: str
    title: str
    figure: str


KINDS: Final = (
    DiscoveryKind(name="tip_model", title="Tips of a chain", figure="tip_gwei"),
    DiscoveryKind(name="gas_trend", title="Trend of gas", figure="gas_ratio"),
    DiscoveryKind(name="inclusion", title="Chance to be included", figure="still_there_ratio"),
    DiscoveryKind(name="competitor", title="Competitor", figure="share_ratio"),
    DiscoveryKind(name="sequencer_timing", title="Timing of the sequencer", figure="delay_ms"),
    DiscoveryKind(name="batch_posting", title="Posting of batches", figure="interval_s"),
    DiscoveryKind(name="liquidity", title="Liquidity of a pool", figure="liquidity_usd"),
    DiscoveryKind(name="fee_structure", title="Fees of a chain", figure="gas_ratio"),
    DiscoveryKind(name="fee_rule", title="Rule of base fees", figure="explained_ratio"),
    DiscoveryKind(name="block_time", title="Times of blocks", figure="interval_s"),
    DiscoveryKind(
        name="validator_response", title="Response of validators", figure="next_block_ratio"
    ),
    DiscoveryKind(name="bridge", title="Gap between chains", figure="gap_bps"),
    DiscoveryKind(name="success_pattern", title="Pattern of success", figure="success_ratio"),
    DiscoveryKind(name="new_path", title="New path", figure="edge_bps"),
    DiscoveryKind(name="new_pool", title="New pool", figure="pool_usd"),
    DiscoveryKind(name="strategy", title="Effect of a strategy", figure="profit_usd"),
    DiscoveryKind(name="team", title="Work of an agent", figure="effect_usd_hour"),
    DiscoveryKind(name="shared", title="What agents agree on", figure="still_there_ratio"),
    DiscoveryKind(name="route_gas", title="Gas of a route's shape", figure="gas_ratio"),
    DiscoveryKind(name="encoding", title="Encoding of a route", figure="saved_ratio"),
    DiscoveryKind(name="fork_test", title="Routes on a fork", figure="passes"),
    DiscoveryKind(name="market_trend", title="Trend of a market", figure="skill_ratio"),
    DiscoveryKind(name="price_model", title="Model of prices", figure="skill_ratio"),
    DiscoveryKind(name="competitor_behaviour", title="Ways of competitors", figure="skill_ratio"),
)

KINDS_BY_NAME: Final = {kind.name: kind for kind in KINDS}
