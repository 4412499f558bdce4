"""What goes out to venues and providers of nodes, and comes in: counted where it does, by process.

Counting is one addition. On the way of a frame it stands where bytes are read from a socket, which
may hold many frames or a part of one.
"""

from typing import Final

import msgspec


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a process has used of a venue or a provider since its start.

    Attributes:
        name: ``venue/gemini``, or ``rpc/`` and the host of a provider.
        units: in which the venue or provider counts: weights, credits, requests.
        connections: that are open now.
    """

    name: str
    requests: int = 0
    units: float = 0.0
    received_bytes: int = 0
    sent_bytes: int = 0
    connections: int = 0


class Meter:
    """The counters of one venue or provider."""

    __slots__ = ("connections", "received_bytes", "requests", "sent_bytes", "units")

    def __init__(self) -> None:
        self.requests = 0
        self.units = 0.0
        self.received_bytes = 0
        self.sent_bytes = 0
        self.connections = 0


class Meters:
    """All meters of a process, by name."""

    def __init__(self) -> None:
        self._meters: dict[str, Meter] = {}

    def of(self, name: str) -> Meter:
        """Return the meter of a name; all who ask for it count on the same one."""
        return self._meters.setdefault(name, Meter())

    def read(self) -> list[Used]:
        """Return what all of them say."""
        return [
            Used(
                name=name,
                requests=meter.requests,
                units=meter.units,
                received_bytes=meter.received_bytes,
                sent_bytes=meter.sent_bytes,
                connections=meter.connections,
            )
            for name, meter in self._meters.items()
        ]


METERS: Final = Meters()
"""Of this process."""
