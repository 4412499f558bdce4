"""A storm: too many new alerts for messages of their own become one message that counts them."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

import msgspec

from engine.domain.units import NS_PER_S

NEW_MAX: Final = 10
"""More new alerts in a minute than this are a storm."""

MINUTE_NS: Final = 60 * NS_PER_S
SHOWN: Final = 5
"""Names of the newest that the message shows; it counts the others."""


class Storm(msgspec.Struct, kw_only=True):
    """A storm, as it is kept over restarts.

    Attributes:
        left_out: how many alerts got no message of their own, by topic.
        newest: the last of them, by fingerprint.
    """

    since_ns: int
    last_at_ns: int
    left_out: dict[str, int] = {}
    newest: tuple[str, ...] = ()
    version: int = 0
    told_version: int = 0
    told_at_ns: int = 0
    message_id: int | None = None

    @property
    def count(self) -> int:
        """Return how many alerts it counts."""
        return sum(self.left_out.values())

    def add(self, *, topic: str, fingerprint: str, now_ns: int) -> None:
        """Count an alert."""
        self.left_out[topic] = self.left_out.get(topic, 0) + 1
        self.newest = (*self.newest, fingerprint)[-SHOWN:]
        self.last_at_ns = now_ns
        self.version += 1


@dataclass(slots=True)
class Rate:
    """When the newest alerts began: in memory, a new process starts with none."""

    _starts: deque[int] = field(default_factory=lambda: deque(maxlen=NEW_MAX + 1))

    def count(self, now_ns: int) -> None:
        """Count that an alert began."""
        self._starts.append(now_ns)

    def is_high(self, now_ns: int) -> bool:
        """Say whether more began within a minute than get messages of their own."""
        return len(self._starts) > NEW_MAX and now_ns - self._starts[0] < MINUTE_NS
