"""Caps of a day: never is more signed than they say, however often the process or machine dies.

Before something is signed, its share of each cap is reserved on disk, with a sync; some more is
reserved with it, so that most signatures find theirs reserved. After a loss of power what was
reserved counts as used: what was signed last may have been lost with it.
"""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from engine.domain.errors import FatalError
from engine.domain.units import NS_PER_DAY
from engine.signing.journal import KEPT_DAYS, Journal

RESERVED_PARTS: Final = 16
"""Of a cap so large a part is reserved ahead; so much at most is lost with the power."""

MICRO: Final = 1_000_000

BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


class DailyCaps:
    """Caps by their names, in whole units, and what is used of them."""

    def __init__(
        self, journal: Journal, caps: Mapping[str, int], *, boot: str, now_ns: int
    ) -> None:
        """Take over what is known of the day.

        Args:
            journal: where signatures and reservations are.
            caps: the most of each in a day.
            boot: which start of the machine this is; empty if nobody says, which no other equals.
            now_ns: the time.
        """
        self._journal = journal
        self.caps: Final = dict(caps)
        self._boot = boot
        self.day = 0
        self.used: dict[str, int] = {}
        self._reserved: dict[str, int] = {}
        self._begin(max(now_ns // NS_PER_DAY, journal.newest_day()))

    def look(self, now_ns: int) -> None:
        """Begin a new day; a clock that was set back brings no earlier one again."""
        if now_ns // NS_PER_DAY > self.day:
            self._begin(now_ns // NS_PER_DAY)

    def beyond(self, charges: Mapping[str, int]) -> str:
        """Return which cap would be passed, in words; empty if none."""
        for cap, amount in charges.items():
            most = self.caps.get(cap, 0)
            if self.used.get(cap, 0) + amount > most:
                used = _shown(cap, self.used.get(cap, 0))
                return (
                    f"{cap}: {used} of {_shown(cap, most)} are used today, it takes"
                    f" {_shown(cap, amount)}"
                )
        return ""

    def reserve(self, charges: Mapping[str, int]) -> None:
        """Make sure that these are reserved on disk.

        Raises:
            FatalError: `beyond` says that they cannot be, or the disk does not take it.
        """
        if why := self.beyond(charges):
            raise FatalError(f"reserved beyond a cap: {why}")
        more = {}
        for cap, amount in charges.items():
            needed = self.used.get(cap, 0) + amount
            if needed > self._reserved.get(cap, 0):
                most = self.caps[cap]
                more[cap] = min(most, needed + max(most // RESERVED_PARTS, 1))
        if more:
            self._journal.reserve(self.day, more, boot=self._boot)
            self._reserved.update(more)

    def keep_ahead(self) -> None:
        """Reserve more of what is in use, so that hardly anything that is signed waits for a sync.

        Raises:
            FatalError: the disk does not take it.
        """
        more = {}
        for cap, used in self.used.items():
            most = self.caps.get(cap, 0)
            part = max(most // RESERVED_PARTS, 1)
            if used and used < most and self._reserved.get(cap, 0) - used < part // 2:
                more[cap] = min(most, used + part)
        if more:
            self._journal.reserve(self.day, more, boot=self._boot)
            self._reserved.update(more)

    def use(self, charges: Mapping[str, int]) -> None:
        """Count what was reserved and then signed."""
        for cap, amount in charges.items():
            self.used[cap] = self.used.get(cap, 0) + amount

    def _begin(self, day: int) -> None:
        self.day = day
        self.used = self._journal.charged(day)
        self._reserved = {}
        for cap, (amount, boot) in self._journal.reserved(day).items():
            self._reserved[cap] = amount
            if not self._boot or boot != self._boot:
                self.used[cap] = max(self.used.get(cap, 0), amount)
        self._journal.forget_before(day - KEPT_DAYS)


def _shown(cap: str, amount: int) -> str:
    """Write what counts for a cap; those in USD are counted in millionths."""
    return f"{Decimal(amount) / MICRO:.2f}" if cap.startswith("USD ") else f"{amount}"


def boot_id() -> str:
    """Return which start of the machine this is; empty where the system does not say."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return ""
