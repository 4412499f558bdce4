"""Bitstamp's user stream: a token by REST, then two private channels a market.

Orders and trades are told apart, and nothing is numbered: only a lost connection shows a gap.
Balances are not told. A token that was not used within a minute is of no use any more.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.domain.instruments import VenueId
from engine.gateways.answers import UNREADABLE, Unclear, unclear
from engine.gateways.bitstamp.messages import ChannelData, Event, TokenBody
from engine.gateways.bitstamp.orders import streamed_order, streamed_trade
from engine.gateways.calls import Call, CallKind, SignedCall
from engine.gateways.gateway import StreamFact, StreamGap, StreamReady
from engine.gateways.stream import StreamAnswer, StreamCare, StreamOpening
from engine.gateways.wire import read

VENUE: Final = VenueId("bitstamp")

CHANNELS: Final = ("my_orders", "my_trades")

_READ_EVENT = msgspec.json.Decoder(Event)
_READ_DATA = msgspec.json.Decoder(ChannelData, strict=False)


class BitstampStream:
    """Obeys `UserStream`."""

    stream_url = "wss://ws.bitstamp.net"
    is_by_market = True

    def stream(self, wire_names: Sequence[str]) -> Sequence[Call]:  # noqa: ARG002
        """See `UserStream.stream`; one token serves all channels."""
        path = "/api/v2/websockets_token/"
        return (Call(venue=VENUE, kind=CallKind.STREAM_KEY, method="POST", path=path),)

    def opening(
        self,
        wire_names: Sequence[str],
        signed: Sequence[SignedCall],  # noqa: ARG002
        answers: Sequence[StreamAnswer],
    ) -> StreamOpening | Unclear:
        """See `UserStream.opening`; channels are those of markets, so there has to be one."""
        answer = answers[0]
        told = read(answer.status, answer.body, TokenBody, lambda one: one)
        if isinstance(told, Unclear):
            return told
        if not told.token or not wire_names:
            return unclear(answer.status, b"", "no token, or no markets to be told of")
        names = [f"{name}_{market}-{told.user_id}" for market in wire_names for name in CHANNELS]
        messages = tuple(
            msgspec.json.encode(
                {
                    "event": "bts:subscribe",
                    "data": {"channel": f"private-{name}", "auth": told.token},
                }
            )
            for name in names
        )
        return StreamOpening(path="", headers={}, messages=messages, readies=len(messages))

    def after_open(self) -> StreamCare:
        """See `UserStream.after_open`; a heartbeat is answered, nothing else comes unasked."""
        beat = msgspec.json.encode({"event": "bts:heartbeat"})
        return StreamCare(beat=beat, beat_s=10.0, silent_s_max=25.0)

    def streamed(self, frame: bytes) -> Sequence[StreamFact]:
        """See `Gateway.streamed`."""
        try:
            return _facts(_READ_EVENT.decode(frame))
        except UNREADABLE as error:
            return (StreamGap(why=f"a frame that cannot be read: {error}"),)


def _facts(event: Event) -> Sequence[StreamFact]:
    if event.event == "bts:subscription_succeeded":
        return (StreamReady(),)
    if event.event == "bts:heartbeat":
        return ()
    name, _, rest = event.channel.removeprefix("private-").rpartition("_")
    if name == "my_orders":
        return (streamed_order(event.event, _READ_DATA.decode(event.data)),)
    if name == "my_trades" and event.event == "trade":
        wire_name = rest.partition("-")[0]
        return (streamed_trade(_READ_DATA.decode(event.data), wire_name),)
    # It asks for a reconnection, or says what is not known.
    return (StreamGap(why=f"{event.event[:80]} on {event.channel[:80]}"),)
