"""Gemini's user stream: who we are stands in the headers of the socket's own request.

Orders and balances of the account, without numbers: only a lost connection shows a gap.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.domain.instruments import VenueId
from engine.gateways.answers import UNREADABLE, Unclear
from engine.gateways.calls import Call, CallKind, SignedCall
from engine.gateways.gateway import StreamFact, StreamGap, StreamReady
from engine.gateways.gemini.messages import Event
from engine.gateways.gemini.orders import streamed_balance, streamed_order
from engine.gateways.stream import BEAT_ID, SOCKET, StreamAnswer, StreamCare, StreamOpening
from engine.gateways.wire import STATUS_OK

VENUE: Final = VenueId("gemini")

STREAMS: Final = ("orders@account", "balances@account")

_READ_EVENT = msgspec.json.Decoder(Event, strict=False)


class GeminiStream:
    """Obeys `UserStream`."""

    stream_url = "wss://ws.gemini.com"
    is_by_market = False

    def stream(self, wire_names: Sequence[str]) -> Sequence[Call]:  # noqa: ARG002
        """See `UserStream.stream`; it tells of all instruments."""
        fields = {"id": "user", "method": "subscribe", "params": list(STREAMS)}
        return (Call(venue=VENUE, kind=CallKind.STREAM_KEY, method=SOCKET, path="", fields=fields),)

    def opening(
        self,
        wire_names: Sequence[str],  # noqa: ARG002
        signed: Sequence[SignedCall],
        answers: Sequence[StreamAnswer],  # noqa: ARG002
    ) -> StreamOpening | Unclear:
        """See `UserStream.opening`; nothing is asked before."""
        headers = dict(signed[0].headers)
        return StreamOpening(path="", headers=headers, messages=(signed[0].body,))

    def after_open(self) -> StreamCare:
        """See `UserStream.after_open`; nothing comes while nothing happens."""
        beat = msgspec.json.encode({"id": BEAT_ID, "method": "ping"})
        return StreamCare(beat=beat, beat_s=10.0, silent_s_max=25.0)

    def streamed(self, frame: bytes) -> Sequence[StreamFact]:
        """See `Gateway.streamed`."""
        try:
            return _facts(_READ_EVENT.decode(frame))
        except UNREADABLE as error:
            return (StreamGap(why=f"a frame that cannot be read: {error}"),)


def _facts(event: Event) -> Sequence[StreamFact]:
    if event.e == "orderUpdate":
        return (streamed_order(event),)
    if event.e == "balanceUpdate":
        return tuple(map(streamed_balance, event.B))
    if not event.e and event.status == STATUS_OK:
        return () if event.id == BEAT_ID else (StreamReady(),)
    why = event.e or bytes(event.error).decode(errors="replace") or "a frame without an event"
    return (StreamGap(why=why[:200]),)
