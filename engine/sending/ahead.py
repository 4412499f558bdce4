"""What stands before what in a wallet's queue: each nonce waits for all that are lower."""

from collections.abc import Sequence

from engine.sending.facts import Life
from engine.sending.stages import SHOWN


def ahead_of(life: Life, lives: Sequence[Life]) -> tuple[bytes, ...]:
    """Return what has to be in a block before a transaction can be, as it is signed, in order."""
    before = [one for one in lives if one.nonce < life.nonce and _waits(one)]
    return tuple(one.attempts[-1].raw for one in sorted(before, key=lambda one: one.nonce))


def holds_up(life: Life, lives: Sequence[Life]) -> bool:
    """Say whether others wait for a nonce whose newest transaction is no cancel yet."""
    if not _waits(life) or life.draft is not None or life.attempts[-1].is_cancel:
        return False
    return any(one.nonce > life.nonce and _waits(one) for one in lives)


def _waits(life: Life) -> bool:
    return bool(life.attempts) and life.stage not in SHOWN
