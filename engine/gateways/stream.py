"""How a venue's user stream is opened and kept alive: pure, as all of a gateway.

What has to be signed are calls, which somebody else signs. Some of them are asked over HTTP first,
as for a token; others are no requests but stand for what goes to the stream's socket itself:
headers of its own request, or a message. So whoever opens a stream does, at every venue:

1. ``calls = gateway.stream(wire_names)``, each signed, in order;
2. asks those that are not `is_of_socket`, one after the other;
3. ``gateway.opening(wire_names, signed, answers)``: where to connect, with which headers, and what
   to send; or why it cannot be opened now;
4. hands every frame to ``gateway.streamed`` and counts `StreamReady` facts: from the `readies`-th
   on the stream tells everything. What happened before has to be looked up;
5. obeys ``gateway.after_open()``: sends its beat, and gives a silent connection up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from engine.gateways.answers import Unclear
from engine.gateways.calls import Call, SignedCall

SOCKET: Final = "SOCKET"
"""As method of a call: it is no request of HTTP. Signed, its headers are those of the socket's own
request, its target is the socket's path, and its body, if any, is a message to send there."""

BEAT_ID: Final = "beat"
"""Our id of the messages that keep a connection alive, where they have one: their answers say
nothing of the account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAnswer:
    """What a venue answered to one of the calls that are asked over HTTP."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamOpening:
    """How the socket is opened.

    Attributes:
        path: behind the base address of the stream.
        headers: of the socket's own request.
        messages: texts to send in order, once it is open.
        readies: how many `StreamReady` facts have to be told until the stream tells everything.
    """

    path: str
    headers: dict[str, str]
    messages: tuple[bytes, ...]
    readies: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCare:
    """How a stream that is open is kept.

    Attributes:
        beat: what is sent every `beat_s`; empty where the venue speaks often enough by itself.
        silent_s_max: without any frame for so long it is given up and opened anew.
    """

    silent_s_max: float
    beat: bytes = b""
    beat_s: float = 0.0


class UserStream(Protocol):
    """The part of a gateway that is about its user stream.

    Attributes:
        stream_url: base address of the stream at the venue itself.
        is_by_market: it tells of those instruments alone that it was opened for; else of all of the
            account if none is named.
    """

    stream_url: str
    is_by_market: bool

    def stream(self, wire_names: Sequence[str]) -> Sequence[Call]:
        """Make the calls that, signed, open the user stream for some instruments."""
        ...

    def opening(
        self,
        wire_names: Sequence[str],
        signed: Sequence[SignedCall],
        answers: Sequence[StreamAnswer],
    ) -> StreamOpening | Unclear:
        """Say how to open the socket.

        Args:
            wire_names: as `stream` had them.
            signed: all of its calls, in their order.
            answers: to those that are asked over HTTP, in their order.
        """
        ...

    def after_open(self) -> StreamCare:
        """Say how an open stream is kept."""
        ...


def is_of_socket(call: Call | SignedCall) -> bool:
    """Say whether a call stands for what goes to the stream's socket, and is no request of HTTP."""
    return call.method == SOCKET
