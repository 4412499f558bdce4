"""Coinbase's user stream: the user and heartbeats channels, a token in each subscription.

All frames of a connection are numbered together; a jump is a gap. It begins with a snapshot of what
is open. Balances are not told.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.domain.instruments import VenueId
from engine.gateways.answers import UNREADABLE, Unclear
from engine.gateways.calls import Call, CallKind, SignedCall
from engine.gateways.coinbase.messages import StreamEvent, StreamFrame
from engine.gateways.coinbase.orders import streamed_order
from engine.gateways.gateway import StreamFact, StreamGap, StreamNumber, StreamReady
from engine.gateways.stream import SOCKET, StreamAnswer, StreamCare, StreamOpening

VENUE: Final = VenueId("coinbase")

_READ_FRAME = msgspec.json.Decoder(StreamFrame, strict=False)
_READ_EVENT = msgspec.json.Decoder(StreamEvent, strict=False)


class CoinbaseStream:
    """Obeys `UserStream`."""

    stream_url = "wss://advanced-trade-ws-user.coinbase.com"
    is_by_market = False

    def stream(self, wire_names: Sequence[str]) -> Sequence[Call]:
        """See `UserStream.stream`; without heartbeats a quiet channel is closed."""
        products = {"product_ids": list(wire_names)} if wire_names else {}
        return (
            _subscription({"type": "subscribe", "channel": "user", **products}),
            _subscription({"type": "subscribe", "channel": "heartbeats"}),
        )

    def opening(
        self,
        wire_names: Sequence[str],  # noqa: ARG002
        signed: Sequence[SignedCall],
        answers: Sequence[StreamAnswer],  # noqa: ARG002
    ) -> StreamOpening | Unclear:
        """See `UserStream.opening`; nothing is asked before."""
        return StreamOpening(path="", headers={}, messages=tuple(one.body for one in signed))

    def after_open(self) -> StreamCare:
        """See `UserStream.after_open`; there is a heartbeat each second."""
        return StreamCare(silent_s_max=10.0)

    def streamed(self, frame: bytes) -> Sequence[StreamFact]:
        """See `Gateway.streamed`."""
        try:
            told = _READ_FRAME.decode(frame)
            facts = [fact for raw in told.events for fact in _facts(told.channel, raw)]
            if not told.events:
                facts += _facts(told.channel, None)
            # Of the connection or of the channel: a jump in either is a gap.
            return [StreamNumber(channel="", number=told.sequence_num), *facts]
        except UNREADABLE as error:
            return (StreamGap(why=f"a frame that cannot be read: {error}"),)


def _subscription(fields: dict[str, object]) -> Call:
    return Call(venue=VENUE, kind=CallKind.STREAM_KEY, method=SOCKET, path="", fields=fields)


def _facts(channel: str, raw: msgspec.Raw | None) -> Sequence[StreamFact]:
    if channel in ("heartbeats", "subscriptions"):
        return ()
    if channel != "user" or raw is None:
        return (StreamGap(why=f"a frame of channel {channel[:40]!r}"),)
    event = _READ_EVENT.decode(raw)
    orders = tuple(map(streamed_order, event.orders))
    return (*orders, StreamReady()) if event.type == "snapshot" else orders
