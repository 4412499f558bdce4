"""What decisions may see of the world besides their inputs; recorded, so that a replay sees it too.

The kill latch is a file and the ledger's backlog a queue: both are looked at in the middle of a
decision. Each look is written to the recording behind the input that led to it. Reports look too,
without a trace: what a person asks must not change the run.
"""

from collections import deque
from collections.abc import Callable
from typing import Protocol

from engine.operate.recorder import Recorder
from engine.operate.recording import EntryKind

KILLED = "killed"
LEDGER_BEHIND = "ledger_behind"


class World(Protocol):
    """Answers to what a decision asks of the world."""

    def is_killed(self) -> bool:
        """Say whether the kill latch is set."""
        ...

    def is_ledger_behind(self) -> bool:
        """Say whether the ledger is too far behind for new plans."""
        ...

    def shows_killed(self) -> bool:
        """Say the same as `is_killed` for a report; it is not recorded."""
        ...

    def shows_ledger_behind(self) -> bool:
        """Say the same as `is_ledger_behind` for a report; it is not recorded."""
        ...


class LiveWorld:
    """Looks, and records what it saw."""

    def __init__(
        self,
        *,
        is_killed: Callable[[], bool],
        is_ledger_behind: Callable[[], bool],
        recorder: Recorder | None,
    ) -> None:
        self._is_killed = is_killed
        self._is_ledger_behind = is_ledger_behind
        self._recorder = recorder

    def is_killed(self) -> bool:
        """See `World.is_killed`."""
        return self._seen(KILLED, answer=self._is_killed())

    def is_ledger_behind(self) -> bool:
        """See `World.is_ledger_behind`."""
        return self._seen(LEDGER_BEHIND, answer=self._is_ledger_behind())

    def shows_killed(self) -> bool:
        """See `World.shows_killed`."""
        return self._is_killed()

    def shows_ledger_behind(self) -> bool:
        """See `World.shows_ledger_behind`."""
        return self._is_ledger_behind()

    def _seen(self, what: str, *, answer: bool) -> bool:
        if self._recorder is not None:
            self._recorder.write(0, EntryKind.OBSERVED, 0, 0, what, b"1" if answer else b"0")
        return answer


class ReplayedWorld:
    """Answers what the recorded run saw, in the order in which it looked."""

    def __init__(self) -> None:
        self._seen: deque[tuple[str, bool]] = deque()

    def saw(self, what: str, *, answer: bool) -> None:
        """Append a recorded look; the input that led to it is replayed afterwards."""
        self._seen.append((what, answer))

    def is_killed(self) -> bool:
        """See `World.is_killed`."""
        return self._next(KILLED)

    def is_ledger_behind(self) -> bool:
        """See `World.is_ledger_behind`."""
        return self._next(LEDGER_BEHIND)

    def shows_killed(self) -> bool:
        """See `World.shows_killed`; a replay is asked for no reports."""
        return True

    def shows_ledger_behind(self) -> bool:
        """See `World.shows_ledger_behind`; a replay is asked for no reports."""
        return True

    def _next(self, what: str) -> bool:
        if not self._seen or self._seen[0][0] != what:
            # The run did not look here: the replay has already diverged, and its decision log
            # will show it. Answer the safe way.
            return True
        return self._seen.popleft()[1]
