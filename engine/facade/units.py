"""Units that a front-end counts in."""

from engine.domain.units import NS_PER_MS, NS_PER_S

__all__ = ["NS_PER_MS", "NS_PER_S"]
