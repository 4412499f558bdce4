"""One-time codes of the operator's authenticator: single use, few tries, over restarts.

RFC 6238 with 30 s steps and one step of tolerance (pyotp); ASVS 5.0 6.5.1 and 6.6.3 ask for single
use and a brute-force limit.
"""

import hmac
from typing import Final

import pyotp
from msgspec.structs import replace

from engine.bus.records import CodesUsed
from engine.domain.units import NS_PER_S

STEP_S: Final = 30
TRIES_MAX: Final = 5
LOCKED_S: Final = 900
WRONG_MAX: Final = 15
"""From so many wrong ones since the last right one, each wait is a day."""

LOCKED_LONG_S: Final = 86_400


class OneTimeCode:
    """Checks codes against one secret.

    Attributes:
        used: what was tried so far; whoever asks keeps it in the ledger.
    """

    def __init__(self, secret: str, used: CodesUsed) -> None:
        self._totp = pyotp.TOTP(secret)
        self.used = used

    def refusal(self, code: str, *, at_ns: int) -> str | None:
        """Check a code; returns why it is refused, or None when it is right.

        A right code is used up; after `TRIES_MAX` wrong ones, none is taken for `LOCKED_S`,
        and after `WRONG_MAX` for `LOCKED_LONG_S`.
        """
        # A clock that was set back does not make the wait longer than it is.
        self.used = replace(self.used, wrong_at_ns=min(self.used.wrong_at_ns, at_ns))
        locked_s = LOCKED_S if self.used.wrong < WRONG_MAX else LOCKED_LONG_S
        left_ns = self.used.wrong_at_ns + locked_s * NS_PER_S - at_ns
        if self.used.wrong and self.used.wrong % TRIES_MAX == 0 and left_ns > 0:
            left_s = left_ns // NS_PER_S + 1
            return f"too many wrong codes; try again in {left_s} s, or do it on the host"
        now_step = at_ns // NS_PER_S // STEP_S
        for step in (now_step, now_step - 1):
            expected = self._totp.at(step * STEP_S)
            # Not "newer than the newest used": that may be ahead of a clock that was set back.
            is_used = step in self.used.steps or step + 1 in self.used.steps
            if not is_used and hmac.compare_digest(expected.encode(), code.encode()):
                self.used = CodesUsed(steps=(step, *self.used.steps))
                return None
        self.used = replace(self.used, wrong=self.used.wrong + 1, wrong_at_ns=at_ns)
        return "the code is wrong, too old, or was used before"
