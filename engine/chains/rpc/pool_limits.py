"""How long things of several providers may take."""

from dataclasses import dataclass, field

from engine.chains.rpc.links import LinkLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolLimits:
    """How providers are chosen and how long is waited.

    Attributes:
        within_s: longest wait for an answer, whoever gives it.
        patience_s: how long a provider may take before the next is asked too, while nobody knows
            what is usual.
        patience_s_min: an answer that comes within this is never raced.
        lag_max: a provider that knows so many blocks less than another is not asked about new ones.
        pulse_s: how often all are asked for their head.
        settle_blocks: blocks that have so many on top of them are the same at all honest nodes.
        poll_s: how often the head is asked for where no provider has subscriptions.
    """

    within_s: float = 10.0
    patience_s: float = 0.5
    patience_s_min: float = 0.02
    lag_max: int = 2
    pulse_s: float = 5.0
    settle_blocks: int = 16
    poll_s: float = 1.0
    links: LinkLimits = field(default_factory=LinkLimits)
