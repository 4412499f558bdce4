"""Binance's user stream: one signed message on its WebSocket interface (web-socket-api.md).

The keys of streams that were made by REST are gone since; a logon of a whole session takes keys of
Ed25519 alone, this subscription any key. A connection ends after 24 hours at the latest.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.domain.instruments import VenueId
from engine.domain.venue_orders import BalanceShown
from engine.gateways.answers import UNREADABLE, Unclear
from engine.gateways.binance.messages import BalancePart, Event
from engine.gateways.binance.orders import reported
from engine.gateways.calls import Call, CallKind, SignedCall
from engine.gateways.gateway import StreamFact, StreamGap, StreamReady
from engine.gateways.stream import BEAT_ID, SOCKET, StreamAnswer, StreamCare, StreamOpening
from engine.gateways.wire import STATUS_OK

VENUE: Final = VenueId("binance")

RECV_WINDOW_MS: Final = 2_000
"""How late a call may come, by the venue's clock; it looks again before its engine."""

PATH: Final = "/ws-api/v3"
_SILENT: Final = frozenset({"balanceUpdate", "externalLockUpdate", "listStatus"})
"""Events that are about neither an order of ours nor the whole of a balance."""

_READ_EVENT = msgspec.json.Decoder(Event, strict=False)


class BinanceStream:
    """Obeys `UserStream`."""

    stream_url = "wss://ws-api.binance.com:443"
    is_by_market = False

    def stream(self, wire_names: Sequence[str]) -> Sequence[Call]:  # noqa: ARG002
        """See `UserStream.stream`; it tells of all instruments."""
        return (
            Call(
                venue=VENUE,
                kind=CallKind.STREAM_KEY,
                method=SOCKET,
                path=PATH,
                weight=2.0,
                fields={
                    "id": "user",
                    "method": "userDataStream.subscribe.signature",
                    "params": {"recvWindow": RECV_WINDOW_MS},
                },
            ),
        )

    def opening(
        self,
        wire_names: Sequence[str],  # noqa: ARG002
        signed: Sequence[SignedCall],
        answers: Sequence[StreamAnswer],  # noqa: ARG002
    ) -> StreamOpening | Unclear:
        """See `UserStream.opening`; nothing is asked before."""
        return StreamOpening(path=PATH, headers={}, messages=(signed[0].body,))

    def after_open(self) -> StreamCare:
        """See `UserStream.after_open`; its own pings are seen by nobody above the socket."""
        beat = msgspec.json.encode({"id": BEAT_ID, "method": "ping"})
        return StreamCare(beat=beat, beat_s=20.0, silent_s_max=50.0)

    def streamed(self, frame: bytes) -> Sequence[StreamFact]:
        """See `Gateway.streamed`."""
        try:
            return _facts(_READ_EVENT.decode(frame))
        except UNREADABLE as error:
            return (StreamGap(why=f"a frame that cannot be read: {error}"),)


def _facts(told: Event) -> Sequence[StreamFact]:
    event = told.event
    if event is None:
        if told.error is not None or told.status != STATUS_OK:
            why = "no event" if told.error is None else f"{told.error.code}: {told.error.msg}"
            return (StreamGap(why=why),)
        return () if told.id == BEAT_ID else (StreamReady(),)
    if event.e == "executionReport":
        return (reported(event),)
    if event.e == "outboundAccountPosition":
        return tuple(map(_balance, event.B))
    if event.e in _SILENT:
        return ()
    # The stream ends, or says what is not known: what is under way is looked up.
    return (StreamGap(why=event.e[:40]),)


def _balance(part: BalancePart) -> BalanceShown:
    return BalanceShown(asset=part.a, free=part.f, held=part.l)
