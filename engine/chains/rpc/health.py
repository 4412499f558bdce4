"""How providers are, for a screen: by names without keys."""

from enum import StrEnum

import msgspec


class ProviderState(StrEnum):
    """What a provider may be asked now."""

    UNCHECKED = "unchecked"
    """It has not yet said of which chain it is."""
    GOOD = "good"
    BEHIND = "behind"
    """It knows too few blocks to be asked about new ones."""
    RESTING = "resting"
    """It failed just now; it is asked again soon, or if there is no other."""
    LIMITED = "limited"
    """It wants no questions now, or its budget is spent."""
    QUARANTINED = "quarantined"
    """It was caught at a lie: nothing it says is taken until it has been checked."""


class ProviderHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How one provider is.

    Attributes:
        name: host and a number.
        state_s: how long until it is asked again, if that is known; else 0.
        why: what speaks against it; empty if nothing does.
        latency_ms_p50: of the newest answers, 0 if there is none.
        head, lag_blocks: its newest block, and how many others have more; None if nobody knows.
        budget_used_ratio, budget_unit, budget_per_s: of its key; per second 0 is without a bound.
        answered: answers that were of use.
        troubles: how often there was none, by kind.
        quarantines: how often it was caught.
    """

    name: str
    state: ProviderState
    state_s: float
    why: str
    has_subscriptions: bool
    latency_ms_p50: float
    head: int | None
    lag_blocks: int | None
    budget_used_ratio: float
    budget_unit: str
    budget_per_s: float
    answered: int
    troubles: dict[str, int]
    quarantines: int


class PoolHealth(msgspec.Struct, frozen=True, kw_only=True):
    """How the providers of a chain are.

    Attributes:
        head: number of the newest block that a trusted one knows.
        split: why nobody knows which of them tells the truth; empty otherwise.
        hedges: second requests because the first took long, and how many of them were quicker.
    """

    chain_id: int
    head: int | None
    split: str
    hedges: int
    hedges_won: int
    providers: tuple[ProviderHealth, ...]
