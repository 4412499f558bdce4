"""What the stage and a dialect say to each other.

A `Dialect` is a venue; it opens a `Session` per connection of one of its feeds. Sessions are pure:
they are told what the client sent or what happened in the market, and answer with frames.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from engine.sandbox.levels import Change, Side, render_steps
from engine.sandbox.lineup import Listing

encode = msgspec.json.encode

Topic = tuple[str, int]
"""Wire name and batching interval in ms (0: every change at once)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BookView:
    """A book as a snapshot shows it; not always the truth, when a fault says so.

    Attributes:
        bids, asks: (price_steps, size_steps), best first.
        last_id: update id up to which it holds.
        at_ns: venue time of it, since the epoch.
    """

    bids: Sequence[tuple[int, int]]
    asks: Sequence[tuple[int, int]]
    last_id: int
    at_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """Changes of one instrument that leave in one frame.

    Attributes:
        topic: to whom.
        changes: absolute sizes, without repeats of a price.
        previous_id: last update id of the publication before, after any skipped numbers.
        last_id: update id of the last change.
        at_ns: venue time, since the epoch.
        skipped: sequence numbers that were skipped on purpose just before this frame.
    """

    listing: Listing
    topic: Topic
    changes: Sequence[Change]
    previous_id: int
    last_id: int
    at_ns: int
    skipped: int = 0


class Market(Protocol):
    """What a dialect may ask of the stage."""

    def listing(self, wire_name: str) -> Listing | None:
        """Return an instrument of this venue by its wire name."""
        ...

    def listings(self) -> Sequence[Listing]:
        """Return all instruments of this venue."""
        ...

    def snapshot(self, listing: Listing, limit: int | None = None) -> BookView:
        """Return a book for a snapshot, the best `limit` levels of each side."""
        ...

    def venue_now_ns(self) -> int:
        """Return the venue's time, since the epoch."""
        ...


@dataclass(slots=True)
class Reply:
    """Frames for the client; `is_last` closes the connection after them."""

    frames: list[bytes] = field(default_factory=list)
    is_last: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RestAnswer:
    """An HTTP answer with a JSON body."""

    body: bytes
    status: int = 200


class Session(Protocol):
    """One connection to one feed."""

    topics: set[Topic]

    def opened(self) -> Reply:
        """Greet the client."""
        ...

    def received(self, text: str) -> Reply:
        """Answer a text frame of the client."""
        ...

    def publish(self, publication: Publication) -> list[bytes]:
        """Render changes of a topic to which the client has subscribed."""
        ...

    def heartbeat(self) -> list[bytes]:
        """Render the periodic heartbeat, nothing when the client gets none."""
        ...

    def reconnect_request(self) -> list[bytes]:
        """Ask the client to reconnect, nothing when the dialect has no such message."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedSpec:
    """A WebSocket feed of a venue.

    Attributes:
        open: makes a session from the path behind the feed's prefix and the query.
        heartbeat_s: interval of heartbeats, 0 for none.
        announced_query: query that belongs to the feed's address.
        received_bytes_max: largest frame accepted from a client.
        subscribe_within_s: a client without a subscription is disconnected after this; 0 never.
        has_sequence: a gap shows in the numbers; without, a gap is a lost frame.
    """

    open: Callable[[Market, str, Mapping[str, str]], Session]
    heartbeat_s: float = 0.0
    announced_query: str = ""
    received_bytes_max: int = 64 * 1024
    subscribe_within_s: float = 0.0
    has_sequence: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """A venue.

    Attributes:
        feeds: feeds by name.
        rest: answers a path (without the venue's prefix) and its query; None means 404.
        rate_limited: body of an HTTP 429.
        first_id: update id before the first change, for dialects that have update ids.
        has_common_ids: all instruments draw their update ids from one range.
        has_empty_events: some events hold ids and no change: what happened was undone within them.
    """

    venue: str
    feeds: Mapping[str, FeedSpec]
    rest: Callable[[Market, str, Mapping[str, str]], RestAnswer | None]
    rate_limited: bytes = b"{}"
    first_id: int = 0
    has_common_ids: bool = False
    has_empty_events: bool = False


def split_sides(
    listing: Listing, changes: Sequence[Change], *, zero: str | None = None
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Render changes as (price, size) pairs of bids and asks.

    `zero` is how a removal is written; by default a zero with all decimals.
    """
    sides: tuple[list[tuple[str, str]], list[tuple[str, str]]] = ([], [])
    for side, price, size in changes:
        sides[side].append(render_level(listing, price, size, zero=zero))
    return sides


def render_level(
    listing: Listing, price_steps: int, size_steps: int, *, zero: str | None = None
) -> tuple[str, str]:
    """Render one level as (price, size)."""
    rules = listing.instrument
    size = render_steps(size_steps, rules.size_decimals)
    if zero is not None and not size_steps:
        size = zero
    return render_steps(price_steps, rules.price_decimals), size


def render_book(
    listing: Listing, view: BookView
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Render a snapshot's levels as (price, size) pairs, best first."""
    bids = [render_level(listing, price, size) for price, size in view.bids]
    asks = [render_level(listing, price, size) for price, size in view.asks]
    return bids, asks


def decode_object(text: str) -> dict[str, object] | None:
    """Decode a client's frame; None when it is no JSON object."""
    try:
        decoded = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return decoded if isinstance(decoded, dict) else None


def text_list(value: object) -> list[str] | None:
    """Return a list of texts, or None when the value is anything else."""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return None


def sides_of(view: BookView) -> list[tuple[Side, int, int]]:
    """Return a snapshot's levels as changes, bids first."""
    bids = [(Side.BID, price, size) for price, size in view.bids]
    return bids + [(Side.ASK, price, size) for price, size in view.asks]
