"""What tightens voids what was asked before it: the engine's memory of kills and tightenings.

A command that loosens carries when the operator gave it. It may arrive late, or twice: after a
crash, after a network that was away, as a button that waited. Whatever tightened since, from
wherever, declines it.
"""

from engine.operate.clock import Clock
from engine.operate.kill_latch import KillLatch


class KillSwitch:
    """The latch, and when it and the operator last tightened."""

    def __init__(self, latch: KillLatch, clock: Clock, *, tightened_at_ns: int) -> None:
        self._latch = latch
        self._clock = clock
        self._was_killed = False
        self._killed_at_ns = 0
        self._tightened_at_ns = tightened_at_ns
        self._ahead = (0, 0)
        self.look()

    def look(self) -> None:
        """See kills that did not come through the engine: a shell's, a hand's, the file's loss."""
        now_ns = self._clock()
        # Ahead of now: the clock was set back. What is asked from now on is newer all the same.
        self._killed_at_ns = min(self._killed_at_ns, now_ns)
        self._tightened_at_ns = min(self._tightened_at_ns, now_ns)
        changed_at_ns = self._changed_at_ns()
        is_killed = self._latch.is_killed()
        if is_killed and not self._was_killed:
            self.killed(changed_at_ns or now_ns)
        self._was_killed = is_killed

    def killed(self, at_ns: int) -> None:
        """Remember a kill."""
        self._killed_at_ns = max(self._killed_at_ns, at_ns)

    def tightened(self) -> None:
        """Remember that a pause or a lower mode was set."""
        self._tightened_at_ns = self._clock()

    def voids_unkill(self, given_at_ns: int) -> str | None:
        """Return why the latch may not be cleared by what was given then, None if it may."""
        self.look()
        # The file alone outlives everything: an old command finds its last change there.
        if given_at_ns > max(self._killed_at_ns, self._changed_at_ns()):
            return None
        return "the kill latch was set or cleared after this was asked; look at /status, ask again"

    def voids_loosening(self, given_at_ns: int) -> str | None:
        """Return why a pause may not end, or a mode not go up, by what was given then."""
        if given_at_ns <= self._tightened_at_ns:
            return "a pause or a lower mode came after this was asked; look at /status, ask again"
        return self.voids_unkill(given_at_ns)

    def _changed_at_ns(self) -> int:
        """Return when the file was changed; one ahead of now counts from when that was seen."""
        at_ns = self._latch.changed_at_ns() or 0
        now_ns = self._clock()
        if at_ns <= now_ns:
            return at_ns
        if self._ahead[0] != at_ns:
            self._ahead = (at_ns, now_ns)
        return self._ahead[1]
