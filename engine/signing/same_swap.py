"""What of a swap has to be the same in a plan and in the terms that a person approved."""

from engine.domain.plans import Step


def swap_of(step: Step) -> tuple[object, ...]:
    """Return what a step swaps where, whatever its amounts."""
    names = ("venue", "address", "source", "target", "decimals_in", "decimals_out")
    return tuple(getattr(step, name) for name in names)
