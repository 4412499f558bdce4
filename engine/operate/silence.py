"""When the operator last gave a sign of life: whatever is said in a chat.

It is kept in a file, so that a restart is none.
"""

import contextlib
import logging
from pathlib import Path
from typing import Final

from engine.domain.units import NS_PER_S
from engine.operate.clock import Clock

log = logging.getLogger(__name__)

FILE_NAME: Final = "sign-of-life"
KEPT_EVERY_NS: Final = 60 * NS_PER_S


class Silence:
    """When the last sign of life came; kept to the minute."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self._path = directory / FILE_NAME
        self._clock = clock
        now_ns = clock()
        kept_ns = self._load()
        self.seen_ns = now_ns if kept_ns is None else min(kept_ns, now_ns)
        self.warned_of_ns = 0
        self._kept_ns = 0
        if kept_ns is None:
            self._keep()  # the first start: from here on it counts, over restarts too

    def sign(self) -> None:
        """Note a sign of life."""
        self.seen_ns = self._clock()
        if not 0 <= self.seen_ns - self._kept_ns < KEPT_EVERY_NS:
            self._keep()

    def step_clock(self, step_ns: int) -> None:
        """Keep the silence as long as it is when the clock is set."""
        self.seen_ns += step_ns
        self._keep()

    def _load(self) -> int | None:
        with contextlib.suppress(OSError, ValueError):
            return int(self._path.read_text(encoding="ascii"))
        return None

    def _keep(self) -> None:
        aside = self._path.with_name(f".{FILE_NAME}.new")
        try:
            aside.write_text(f"{self.seen_ns}\n", encoding="ascii")
            aside.replace(self._path)
        except OSError as error:
            log.warning("the sign of life is not kept: %s", error.strerror)
        self._kept_ns = self.seen_ns
