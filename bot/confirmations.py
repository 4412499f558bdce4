"""Second steps: a random nonce that counts once, for whom it was offered, for a short time."""

import secrets
from dataclasses import dataclass, field
from typing import Final

from cachetools import FIFOCache

from bot.answer import Confirmation
from engine.domain.units import NS_PER_S

PENDING_MAX: Final = 32
"""Second steps that may wait at once; the oldest gives way."""

_NONCE_BYTES: Final = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pending:
    by: str
    expires_at_ns: int
    confirmation: Confirmation


@dataclass(slots=True)
class Confirmations:
    """Second steps that wait. They live in memory: a restart voids them all."""

    confirm_s: int
    _pending: FIFOCache[str, _Pending] = field(default_factory=lambda: FIFOCache(PENDING_MAX))

    def offer(self, confirmation: Confirmation, *, by: str, now_ns: int) -> str:
        """Remember a second step and return its nonce."""
        nonce = secrets.token_urlsafe(_NONCE_BYTES)
        self._pending[nonce] = _Pending(
            by=by,
            expires_at_ns=now_ns + self.confirm_s * NS_PER_S,
            confirmation=confirmation,
        )
        return nonce

    def take(self, nonce: str, *, by: str, now_ns: int) -> Confirmation | None:
        """Use a nonce up; None where it is unknown, used, expired or somebody else's.

        Somebody else's attempt does not use it up.
        """
        pending = self._pending.get(nonce)
        if pending is None or pending.by != by:
            return None
        del self._pending[nonce]
        # Farther ahead than when it was offered: the clock was set back meanwhile.
        is_due = 0 < pending.expires_at_ns - now_ns <= self.confirm_s * NS_PER_S
        return pending.confirmation if is_due else None

    def void_all(self) -> None:
        """Forget every second step; a kill does this."""
        self._pending.clear()
