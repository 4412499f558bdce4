"""Gemini's newer WebSocket API at ws.gemini.com: `depthUpdate` with update ids.

Documented: requests and responses, stream names, intervals, the `snapshot` parameter, `U` and `u`,
the gap rule (`U` above the last `u`), error -1013. Not documented, but published by others who
measured the live feed: the snapshot precedes the confirmation and has `U` equal to `u`; a delta's
`U` equals the previous `u`; the ids of all symbols come from one range; one unknown stream refuses
the whole request.
"""

from collections.abc import Mapping

from engine.sandbox.dialects.base import (
    Market,
    Publication,
    Reply,
    Topic,
    decode_object,
    encode,
    render_book,
    split_sides,
    text_list,
)
from engine.sandbox.dialects.streams import parse_stream, stream_names
from engine.sandbox.lineup import Listing

INVALID_PARAMETERS = -1013
UNSUPPORTED = -1020


class GeminiFastSession:
    """A connection to the newer API; `snapshot` in its query asks for books on subscribing."""

    def __init__(self, market: Market, query: Mapping[str, str]) -> None:
        self._market = market
        text = query.get("snapshot", "0")
        self._snapshot = int(text) if text.removeprefix("-").isdecimal() else 0
        self._last_ids: dict[Topic, int] = {}
        self.topics: set[Topic] = set()

    def opened(self) -> Reply:
        """Say nothing, as the venue does."""
        return Reply()

    def received(self, text: str) -> Reply:
        """Answer a request."""
        asked = decode_object(text)
        if asked is None:
            return self._refuse(None, INVALID_PARAMETERS, "Invalid JSON")
        request_id, method = asked.get("id"), str(asked.get("method", "")).lower()
        if method == "ping":
            return self._confirm(request_id)
        if method == "time":
            now_ms = self._market.venue_now_ns() // 1_000_000
            return self._confirm(request_id, {"serverTime": now_ms})
        if method == "list_subscriptions":
            return self._confirm(request_id, stream_names(self.topics))
        if method not in ("subscribe", "unsubscribe"):
            return self._refuse(request_id, UNSUPPORTED, f"Unsupported method: {method}")
        return self._change_topics(request_id, method, text_list(asked.get("params")))

    def publish(self, publication: Publication) -> list[bytes]:
        """Render changed levels, nothing when the client's snapshot already has them."""
        last_id = self._last_ids.get(publication.topic, publication.previous_id)
        if publication.last_id <= last_id:
            return []
        first_id = max(last_id, publication.previous_id)
        self._last_ids[publication.topic] = publication.last_id
        bids, asks = split_sides(publication.listing, publication.changes)
        return [
            self._update(
                publication.listing, (first_id, publication.last_id), bids, asks, publication.at_ns
            )
        ]

    def heartbeat(self) -> list[bytes]:
        """Say nothing: the feed has protocol pings only."""
        return []

    def reconnect_request(self) -> list[bytes]:
        """Say nothing: the venue has no such message."""
        return []

    def _change_topics(self, request_id: object, method: str, names: list[str] | None) -> Reply:
        if not names:
            return self._refuse(request_id, INVALID_PARAMETERS, "Invalid params")
        topics = []
        for name in names:
            topic = parse_stream(self._market, name)
            if topic is None:
                return self._refuse(request_id, INVALID_PARAMETERS, f"Invalid stream name: {name}")
            topics.append(topic)
        reply = Reply()
        for topic in topics:
            if method == "unsubscribe":
                self.topics.discard(topic)
                self._last_ids.pop(topic, None)
            else:
                self.topics.add(topic)
                reply.frames.extend(self._book(topic))
        reply.frames.extend(self._confirm(request_id).frames)
        return reply

    def _book(self, topic: Topic) -> list[bytes]:
        listing = self._market.listing(topic[0])
        if listing is None or not self._snapshot:
            return []
        limit = self._snapshot if self._snapshot > 0 else None
        view = self._market.snapshot(listing, limit)
        self._last_ids[topic] = view.last_id
        bids, asks = render_book(listing, view)
        return [self._update(listing, (view.last_id, view.last_id), bids, asks, view.at_ns)]

    def _update(
        self,
        listing: Listing,
        ids: tuple[int, int],
        bids: list[tuple[str, str]],
        asks: list[tuple[str, str]],
        at_ns: int,
    ) -> bytes:
        return encode(
            {
                "e": "depthUpdate",
                "E": at_ns,
                "s": listing.wire_name.lower(),
                "U": ids[0],
                "u": ids[1],
                "b": bids,
                "a": asks,
            }
        )

    def _confirm(self, request_id: object, result: object = None) -> Reply:
        answer: dict[str, object] = {"id": request_id, "status": 200}
        if result is not None:
            answer["result"] = result
        return Reply([encode(answer)])

    def _refuse(self, request_id: object, code: int, why: str) -> Reply:
        error = {"code": code, "msg": why}
        return Reply([encode({"id": request_id, "status": 400, "error": error})])
