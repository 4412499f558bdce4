"""What the core asks of the world, and what the world hands to the core.

Everything that can change a decision reaches the core as one numbered `Input`. A run that records
its inputs can therefore be replayed through the same code to the same decisions, byte for byte.
"""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final, Protocol

import msgspec

from engine.domain.faults import Fault
from engine.domain.instruments import BuyFee, Instrument, VenueId
from engine.domain.pools import PoolId
from engine.pools.blocks import Block
from engine.pools.snapshots import PoolSnapshot


class InputKind(IntEnum):
    """Kinds of input that come from a connection; `core/input_list.py` has all."""

    OPENED = 1
    FRAME = 2
    FETCHED = 3
    FETCH_FAILED = 4
    CLOSED = 5
    LISTED = 8


@dataclass(frozen=True, slots=True)
class Send:
    """Ask the session to send a text frame to the venue."""

    text: str


@dataclass(frozen=True, slots=True)
class Fetch:
    """Ask the session to GET `path` from the venue's REST endpoint.

    The answer comes back as an input FETCHED (or FETCH_FAILED) with the same `key`. The session
    keeps the venue's request rate, and drops a fetch whose key is already under way.
    """

    key: str
    path: str


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Ask the session to drop the connection and open a new one."""

    why: str


@dataclass(frozen=True, slots=True)
class Relist:
    """Ask the session for the venue's instrument list anew; it comes back as an input LISTED."""


Action = Send | Fetch | Reconnect | Relist
NO_ACTIONS: tuple[Action, ...] = ()


class LevelForm(IntEnum):
    """How price levels are written in a venue's JSON."""

    PAIRS = 0
    """``[["price","size"],...]``, one array per side; numbers may be quoted or bare."""
    SIDED = 1
    """``[["buy"|"sell","price","size"],...]``, both sides in one array."""
    COINBASE = 2
    """``[{"side":"bid"|"offer","price_level":"…","new_quantity":"…",…},...]``, both sides."""
    OBJECTS = 3
    """``[{"price":"…","amount"|"size":"…",…},...]``, one array per side."""


class Applied(IntEnum):
    """What became of level changes that were handed to the board."""

    OK = 0
    BAD_SHAPE = 1
    BAD_NUMBER = 2
    CROSSED = 3
    EMPTY = 4
    NOT_PLAIN = 5
    """Text that only a decoder can judge; it was not taken."""


RawJson = bytes | msgspec.Raw
"""A JSON array whose grammar has been validated: part of a decoded frame, kept raw."""


class BookSink(Protocol):
    """The board as a feed sees it: rows of order books, addressed by number.

    A row is born stale. `replace` with a valid snapshot makes it live; `invalidate` makes it stale
    and forgets its levels. Nothing is changed by levels that are refused, except that the caller
    must then invalidate the row, because it has missed a change.
    """

    def replace(
        self, book: int, form: LevelForm, bids: RawJson, asks: RawJson, at_ns: int
    ) -> Applied:
        """Forget the row's levels, take these and make the row live.

        With a one-array form (`SIDED`, `COINBASE`), `bids` holds both sides and `asks` is empty.
        """
        ...

    def apply(
        self, book: int, form: LevelForm, bids: RawJson, asks: RawJson, at_ns: int
    ) -> Applied:
        """Apply changes (a size of zero removes a level) to a live row, all or none."""
        ...

    def apply_plain(self, book: int, payload: bytes, span: tuple[int, int], at_ns: int) -> Applied:
        """Apply changes as they stand in a frame, all or none, without anybody decoding them.

        ``[bids],"a":[asks]`` fills `payload` within `span`, as pairs without spaces and with all
        numbers in quotes. Anything else is NOT_PLAIN and changes nothing.
        """
        ...

    def invalidate(self, book: int, fault: Fault, at_ns: int, note: str = "") -> None:
        """Forget the row's levels, mark it stale with the reason and count the fault.

        `note` says in words what a person should know of it.
        """
        ...

    def proven(self, book: int, at_ns: int) -> None:
        """Learn that a row was the venue's book at this time, by its snapshot or an audit.

        For rows whose feed cannot show that a change was lost; others prove themselves.
        """
        ...

    def count(self, venue: VenueId, fault: Fault) -> None:
        """Count a fault that makes no single row stale."""
        ...

    def is_live(self, book: int) -> bool:
        """Say whether the row may be traded on (it may still be too old)."""
        ...

    def is_wanted(self, book: int) -> bool:
        """Say whether an open route goes through the row."""
        ...

    def changed_at_ns(self, book: int) -> int:
        """Return the receive time of the row's last change, 0 if it never had one."""
        ...

    def top_levels(
        self, book: int, count: int
    ) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """Return the best bids and asks as (price_steps, size_steps), best first."""
        ...


NO_TIME: Final = -(1 << 62)
"""Stands for the difference to a time that is not known; no true one is that large."""


class MarketSink(Protocol):
    """The pools of chains, as the source of a chain's blocks sees them.

    A pool is known from a whole state on (`add`, or one within a block) until something about it is
    not sure; it is then out of all routes and in `to_read`. Nothing is screened before the end of a
    block: what stands in the middle of it nobody can trade on.
    """

    def take(self, block: Block, at_ns: int) -> None:
        """Take what a block changed of all pools, and undo the blocks that it takes the place of.

        A block that was taken already changes nothing. One whose parent is not the newest block,
        or that takes the place of more than can be undone, leaves no pool of the chain known but
        those whose whole state it brings along. A change that no pool can have gone through leaves
        that pool unknown; the others are changed. Each fault is counted.
        """
        ...

    def add(self, snapshot: PoolSnapshot, at_ns: int) -> bool:
        """Take the whole state of a pool as of the newest block; say whether the pool is new.

        It is refused, and counted, if it is of another block, no pool can be in this state, or
        there is no room.
        """
        ...

    def remove(self, pool_id: PoolId, at_ns: int) -> bool:
        """Forget a pool; say whether it was there. Its number is not used again in this run."""
        ...

    def lose(self, chain: str, fault: Fault, at_ns: int) -> None:
        """Know no pool of a chain any more, for this reason."""
        ...

    def to_read(self, chain: str) -> Sequence[PoolId]:
        """Return the pools of a chain that are to be read anew, as of its newest block."""
        ...


class Feed(Protocol):
    """One market-data connection of a venue, without any input or output of its own.

    A feed is a pure state machine: it is told what happened and answers with actions. It never
    reads a clock; `at_ns` is the receive time. It owns the rows of its instruments in the board.

    Attributes:
        behind: one cell: how long after the venue's own time the newest frame that holds one was
            received, by two clocks that need not agree, in ns. NO_TIME before the first.
    """

    venue: VenueId
    behind: "array[int]"

    def opened(self, at_ns: int) -> Sequence[Action]:
        """Start afresh on a new connection: all rows stale, subscriptions sent."""
        ...

    def frame(self, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take one frame; any bad one ends in a counted fault, never in an exception."""
        ...

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take the answer to an earlier `Fetch`."""
        ...

    def fetch_failed(self, key: str, why: str, at_ns: int) -> Sequence[Action]:
        """Learn that an earlier `Fetch` failed for good; a later tick asks again."""
        ...

    def closed(self, at_ns: int) -> Sequence[Action]:
        """Learn that the connection ended: all rows stale."""
        ...

    def listed(self, rows: Sequence["ListedRow"], at_ns: int) -> Sequence[Action]:
        """Learn which rows are the feed's from now on, and which of them may not be traded now.

        A row that is not among them any more is stale for good.
        """
        ...

    def tick(self, at_ns: int) -> Sequence[Action]:
        """Look at the time, about ten times a second: stalls, audits, retries."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLimits:
    """Limits that every feed obeys.

    Attributes:
        age_ms_max: a row without any change for this long is resynchronised (once per interval).
        frame_bytes_max: larger frames are refused as oversize.
        buffered_frames_max: deltas kept per row while its snapshot is under way.
        audit_s: interval of the REST cross-audit of a row, where the feed proves no sequence.
        audits_per_s: all audits of the feed together.
    """

    age_ms_max: int = 10_000
    frame_bytes_max: int = 16 * 1024 * 1024
    buffered_frames_max: int = 10_000
    audit_s: int = 5
    audits_per_s: float = 4.0


class FeedMaker(Protocol):
    """Makes a venue's feed for some instruments, whose rows on the board are `books`."""

    def __call__(
        self,
        instruments: Sequence[Instrument],
        books: Sequence[int],
        sink: BookSink,
        limits: FeedLimits,
    ) -> Feed:
        """Make the feed; nothing is sent before `opened`."""
        ...


OTHERS_PER_S: Final = 0.1
"""Requests for anything but audits while books are live: the list is one a minute. The snapshots of
all books after a reconnect are many, but there is nothing to audit then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBudget:
    """What one address may ask of a venue.

    In any minute at most `weight_burst` and 60 times `weight_per_s` are spent.

    Attributes:
        weight_per_s: weight that may be spent over time.
        weight_burst: weight that may be spent at once after a pause.
        weights: weight of paths that begin so; any other weighs 1.
        used_header: header of an answer that tells the weight used in this minute, if there is one.
        weight_per_minute_max: the venue's own limit of it.
    """

    weight_per_s: float
    weight_burst: float = 4.0
    weights: Mapping[str, float] = field(default_factory=dict)
    used_header: str = ""
    weight_per_minute_max: float = float("inf")

    def weight_of(self, path: str) -> float:
        """Return the weight of a request for a path."""
        return next((w for start, w in self.weights.items() if path.startswith(start)), 1.0)

    @property
    def audits_per_s(self) -> float:
        """What audits may ask: all but what lists, connections and snapshots anew need."""
        return self.weight_per_s - OTHERS_PER_S

    @property
    def heaviest(self) -> float:
        """The weight of the heaviest request."""
        return max(self.weights.values(), default=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSpec:
    """A venue's line in the one list of venues (`engine/connectors/venues.py`).

    Attributes:
        feeds: makers by feed name; the first is the default. Most venues have one.
        websocket_urls: public endpoint of each feed, by the same names.
        rest_url: public REST endpoint, the base of every `Fetch.path`.
        instruments_path: REST path of the venue's instrument list.
        parse_instruments: turns that list into instruments of the asked pairs.
        fee_bps_taker: taker fee of the venue's entry tier by default, in bps.
        buy_fee: in which asset the venue takes the fee of a buy.
        latency_ms_median, latency_ms_p99: one-way order latency assumed in paper mode.
        budget: what may be asked of it.
    """

    venue: VenueId
    feeds: dict[str, FeedMaker]
    websocket_urls: dict[str, str]
    rest_url: str
    instruments_path: str
    parse_instruments: "InstrumentParser"
    fee_bps_taker: float
    buy_fee: BuyFee
    latency_ms_median: float
    latency_ms_p99: float
    budget: RequestBudget


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An instrument of a list, and why it may not be traded now; empty if it may."""

    instrument: Instrument
    closed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRow:
    """A row of the board, its instrument, and why that may not be traded now; empty if it may."""

    book: int
    instrument: Instrument
    closed: str = ""


class InstrumentParser(Protocol):
    """Parses a venue's instrument list."""

    def __call__(self, payload: bytes, pairs: Sequence[str]) -> list[Listed]:
        """Return the instruments of those pairs that the venue lists, those that are closed too.

        Raises:
            BadValueError: the list cannot be read.
        """
        ...
