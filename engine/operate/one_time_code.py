"""One-time codes of the operator's authenticator: single use, few tries.

RFC 6238 with 30 s steps and one step of tolerance (pyotp); ASVS 5.0 6.5.1 and 6.6.3 ask for single
use and a brute-force limit.
"""

import hmac
from typing import Final

import pyotp

STEP_S: Final = 30
TRIES_MAX: Final = 5
LOCKED_S: Final = 900

_NS_PER_S: Final = 1_000_000_000


class OneTimeCode:
    """Checks codes against one secret."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)
        self._used_steps: set[int] = set()
        self._failures = 0
        self._locked_until_ns = 0

    def refusal(self, code: str, *, at_ns: int) -> str | None:
        """Check a code; returns why it is refused, or None when it is right.

        A right code is used up; after `TRIES_MAX` wrong ones, none is taken for `LOCKED_S`.
        """
        # A clock that was set back does not make the wait longer than it is.
        self._locked_until_ns = min(self._locked_until_ns, at_ns + LOCKED_S * _NS_PER_S)
        if at_ns < self._locked_until_ns:
            left_s = (self._locked_until_ns - at_ns) // _NS_PER_S + 1
            return f"too many wrong codes; try again in {left_s} s, or clear the latch on the host"
        now_step = at_ns // _NS_PER_S // STEP_S
        for step in (now_step, now_step - 1):
            expected = self._totp.at(step * STEP_S)
            # Not "newer than the newest used": that may be ahead of a clock that was set back.
            is_used = not self._used_steps.isdisjoint((step, step + 1))
            if not is_used and hmac.compare_digest(expected.encode(), code.encode()):
                self._used_steps.add(step)
                self._failures = 0
                return None
        self._failures += 1
        if self._failures >= TRIES_MAX:
            self._failures = 0
            self._locked_until_ns = at_ns + LOCKED_S * _NS_PER_S
        return "the code is wrong, too old, or was used before"
