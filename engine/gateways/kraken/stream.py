"""Kraken's user stream: a token by REST, then the executions channel of WebSocket version 2.

It begins with a snapshot of what is open and of the last trades; its frames are numbered. Balances
are told by another channel, as totals without what orders hold: those are asked for by REST.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from engine.domain.instruments import VenueId
from engine.gateways.answers import UNREADABLE, Unclear
from engine.gateways.calls import Call, CallKind, SignedCall
from engine.gateways.gateway import StreamFact, StreamGap, StreamNumber, StreamReady
from engine.gateways.kraken import messages
from engine.gateways.kraken.orders import streamed
from engine.gateways.stream import StreamAnswer, StreamCare, StreamOpening
from engine.gateways.wire import read

VENUE: Final = VenueId("kraken")

_ENDS: Final = frozenset({"filled", "canceled", "expired"})

_READ_FRAME = msgspec.json.Decoder(messages.Frame)
_READ_EXECUTIONS = msgspec.json.Decoder(list[messages.Execution], strict=False)


class KrakenStream:
    """Obeys `UserStream`."""

    stream_url = "wss://ws-auth.kraken.com"
    is_by_market = False

    def stream(self, wire_names: Sequence[str]) -> Sequence[Call]:  # noqa: ARG002
        """See `UserStream.stream`; it tells of all instruments."""
        path = "/0/private/GetWebSocketsToken"
        return (Call(venue=VENUE, kind=CallKind.STREAM_KEY, method="POST", path=path),)

    def opening(
        self,
        wire_names: Sequence[str],  # noqa: ARG002
        signed: Sequence[SignedCall],  # noqa: ARG002
        answers: Sequence[StreamAnswer],
    ) -> StreamOpening | Unclear:
        """See `UserStream.opening`; a refusal comes with status 200, too."""
        answer = answers[0]
        token = read(answer.status, answer.body, messages.Answered[messages.Token], _token_of)
        if isinstance(token, Unclear):
            return token
        params = {"channel": "executions", "token": token, "snap_orders": True, "snap_trades": True}
        message = msgspec.json.encode({"method": "subscribe", "params": params})
        return StreamOpening(path="/v2", headers={}, messages=(message,))

    def after_open(self) -> StreamCare:
        """See `UserStream.after_open`; there is a heartbeat each second when nothing else is."""
        return StreamCare(silent_s_max=10.0)

    def streamed(self, frame: bytes) -> Sequence[StreamFact]:
        """See `Gateway.streamed`; each subscription's frames are numbered."""
        try:
            return _facts(_READ_FRAME.decode(frame))
        except UNREADABLE as error:
            return (StreamGap(why=f"a frame that cannot be read: {error}"),)


def _token_of(told: messages.Answered[messages.Token]) -> str:
    if not told.result.token:
        raise ValueError("an empty token")
    return told.result.token


def _fact(report: messages.Execution) -> StreamFact | None:
    fact = streamed(report)
    counts = report.exec_type == "trade" or report.order_status in _ENDS
    if fact is None and counts:
        return StreamGap(why=f"a report of {report.order_id[:40]} leaves out whose side it was")
    return fact


def _facts(frame: messages.Frame) -> Sequence[StreamFact]:
    if frame.channel in ("heartbeat", "status") or frame.method == "pong":
        return ()
    if frame.channel == "executions":
        reports = _READ_EXECUTIONS.decode(frame.data)
        facts: list[StreamFact] = [StreamNumber(channel=frame.channel, number=frame.sequence)]
        facts += [fact for fact in map(_fact, reports) if fact is not None]
        return [*facts, StreamReady()] if frame.type == "snapshot" else facts
    if frame.channel == "balances":
        return (StreamNumber(channel=frame.channel, number=frame.sequence),)
    if frame.method and frame.success:
        return ()
    return (StreamGap(why=frame.error[:80] or f"a frame of channel {frame.channel[:40]!r}"),)
