"""How a front-end waits after failures."""

from engine.domain.backoff import Backoff

__all__ = ["Backoff"]
