"""How far a stream was worked off, where later items may be finished before earlier ones."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Progress:
    """Items by their numbers; some may come again."""

    _unfinished: set[int] = field(default_factory=set)
    _newest: int = 0

    def begin(self, seq: int) -> None:
        """Learn of the next item."""
        self._unfinished.add(seq)
        self._newest = max(self._newest, seq)

    def finish(self, seq: int) -> None:
        """Learn that an item is done."""
        self._unfinished.discard(seq)

    @property
    def done_up_to(self) -> int:
        """Return the number up to which all are done, 0 if that is none."""
        oldest = min(self._unfinished, default=None)
        return self._newest if oldest is None else oldest - 1
