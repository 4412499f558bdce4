"""Gemini's archived market data v2 feed: `l2_updates` without sequence numbers."""

from collections.abc import Sequence

from engine.sandbox.dialects.base import (
    Market,
    Publication,
    Reply,
    Topic,
    decode_object,
    encode,
    render_level,
    sides_of,
    text_list,
)
from engine.sandbox.levels import Change, Side
from engine.sandbox.lineup import Listing

SIDES = {Side.BID: "buy", Side.ASK: "sell"}


class GeminiV2Session:
    """A connection to `/v2/marketdata`."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self.topics: set[Topic] = set()

    def opened(self) -> Reply:
        """Say nothing, as the venue does."""
        return Reply()

    def received(self, text: str) -> Reply:
        """Subscribe or unsubscribe symbols of the l2 feed."""
        asked = decode_object(text)
        subscriptions = None if asked is None else asked.get("subscriptions")
        if asked is None or not isinstance(subscriptions, list):
            return self._refuse("InvalidJson", "the message is no subscription")
        reply = Reply()
        for entry in subscriptions:
            names = text_list(entry.get("symbols")) if isinstance(entry, dict) else None
            if names is None or entry.get("name") != "l2":
                return self._refuse("InvalidSubscription", "only l2 with symbols is offered here")
            for name in names:
                listing = self._market.listing(name)
                if listing is None:
                    return self._refuse("InvalidSymbol", f"{name} is not a symbol")
                if asked.get("type") == "unsubscribe":
                    self.topics.discard((name, 0))
                else:
                    self.topics.add((name, 0))
                    reply.frames.append(self._book(listing))
        return reply

    def publish(self, publication: Publication) -> list[bytes]:
        """Render changed levels."""
        changes = self._changes(publication.listing, publication.changes)
        symbol = publication.listing.wire_name
        return [encode({"type": "l2_updates", "symbol": symbol, "changes": changes})]

    def heartbeat(self) -> list[bytes]:
        """Render the heartbeat of every five seconds."""
        now_ms = self._market.venue_now_ns() // 1_000_000
        return [encode({"type": "heartbeat", "timestamp": now_ms})]

    def reconnect_request(self) -> list[bytes]:
        """Say nothing: the venue has no such message."""
        return []

    def _book(self, listing: Listing) -> bytes:
        changes = self._changes(listing, sides_of(self._market.snapshot(listing)))
        return encode(
            {
                "type": "l2_updates",
                "symbol": listing.wire_name,
                "changes": changes,
                "trades": [],
                "auction_events": [],
            }
        )

    def _changes(self, listing: Listing, changes: Sequence[Change]) -> list[list[str]]:
        return [
            [SIDES[side], *render_level(listing, price, size, zero="0")]
            for side, price, size in changes
        ]

    def _refuse(self, reason: str, why: str) -> Reply:
        return Reply([encode({"result": "error", "reason": reason, "message": why})])
