"""One open socket of an account's user stream, apart from the socket.

It obeys `engine.sandbox.dialects.base.Session`, so that a user stream is carried as a feed is. It
is written from the venues' documents and knows nothing of the gateways that listen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from engine.sandbox.dialects.base import Publication, Reply, Topic
from engine.sandbox.exchange.doors.door import Door
from engine.sandbox.exchange.model import Change

AnyDoor = TypeVar("AnyDoor", bound=Door)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knock:
    """The request that opens a socket.

    Attributes:
        path: behind the base address of the stream.
        headers: by their names in lower case.
    """

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)


class UserSession(Generic[AnyDoor]):
    """A socket that says nothing yet; each venue's says what its documents say.

    Attributes:
        is_mute: whether nothing comes down the socket now, though it stays open.

    Args:
        door: of the account.
        now_ms: the venue's time.
    """

    def __init__(self, door: AnyDoor, now_ms: Callable[[], int]) -> None:
        self.topics: set[Topic] = set()
        self.door = door
        self.now_ms = now_ms
        self.is_mute: Callable[[], bool] = lambda: False

    def told(self, change: Change) -> list[bytes]:
        """Render what is told of a change, nothing to whom has not subscribed."""
        raise NotImplementedError

    def answered(self, text: str) -> Reply:
        """Answer a text frame of the client."""
        raise NotImplementedError

    def beat(self) -> list[bytes]:
        """Render the periodic heartbeat, nothing where there is none."""
        return []

    def received(self, text: str) -> Reply:
        """Answer a text frame of the client, if anything comes down at all."""
        reply = self.answered(text)
        return Reply() if self.is_mute() else reply

    def heartbeat(self) -> list[bytes]:
        """Render the periodic heartbeat; what does not come down is numbered all the same."""
        frames = self.beat()
        return [] if self.is_mute() else frames

    def opened(self) -> Reply:
        """Say nothing, as most venues do."""
        return Reply()

    def publish(self, publication: Publication) -> list[bytes]:  # noqa: ARG002
        """Tell nothing of the market."""
        return []

    def reconnect_request(self) -> list[bytes]:
        """Say nothing: most venues have no such message."""
        return []
