"""The stage: replay clock, markets, clients and faults, without any input or output.

Everything that happens at a replay time is an entry of one heap: the next change of a track, the
end of a batching interval, a heartbeat, a scripted fault. `advance` plays them in order, so the
same recordings, script and seed give the same frames.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import msgspec

from engine.sandbox.client import Client
from engine.sandbox.dialects.base import BookView, Dialect, Publication, Topic
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.fault_box import FaultBox
from engine.sandbox.fault_script import EVERY, FaultKind, ScriptedFault
from engine.sandbox.levels import Change, Side
from engine.sandbox.lineup import Listing

BATCH_INTERVALS_MS = (100, 1000)
SKIPPED_IDS_MAX = 9
"""Most update ids skipped by a gap, times its count; often it is one alone."""

ONE_ALONE_RATIO = 0.5

UNSEEN_IDS_MAX = 3
"""Most update ids that an event has beyond one for each level, as what changed and changed back
within it took ids too. Ids in even steps would hide a feed that does not see a gap of one."""

EMPTY_RATIO = 0.02
"""Of the ends of an interval at which nothing is to be told: an event of ids alone, at venues that
have such."""

UNEVEN_RATIO = 0.2
"""By so much an interval is shorter or longer than its name says, as the venues' are."""

FALSE_PRICE_DIVISOR = 100
"""A false snapshot is off by the best bid divided by this."""

CROSS_SIZE_LOTS = 1000


@dataclass(slots=True)
class _Channel:
    """What one topic has not published yet."""

    listing: Listing
    topic: Topic
    pending: dict[tuple[Side, int], int] = field(default_factory=dict)
    previous_id: int = 0
    crossed: list[tuple[Side, int]] = field(default_factory=list)


@dataclass(slots=True)
class _OldBook:
    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    last_id: int
    at_ns: int


class Market:
    """One venue's instruments, as its dialect sees them.

    Attributes:
        is_page: whether its REST answers everything with a page about its maintenance.
    """

    def __init__(self, stage: "Stage", dialect: Dialect, listings: Sequence[Listing]) -> None:
        self.dialect = dialect
        self.clients: list[Client] = []
        self.frames = 0
        self.is_page = False
        self._stage = stage
        self._listings = {listing.wire_name: listing for listing in listings}
        self._next_common_id = dialect.first_id
        self.channels: dict[Topic, _Channel] = {}
        self._old = {}
        for listing in listings:
            listing.last_id = dialect.first_id
            self._old[listing.wire_name] = self._read(listing, None)
            for interval_ms in (0, *BATCH_INTERVALS_MS):
                topic = (listing.wire_name, interval_ms)
                self.channels[topic] = _Channel(listing, topic, previous_id=listing.last_id)

    def listing(self, wire_name: str) -> Listing | None:
        """Return an instrument by its wire name, if the venue has it now."""
        listing = self._listings.get(wire_name)
        return listing if listing is not None and listing.is_listed else None

    def named(self, name: str) -> Listing | None:
        """Return an instrument by its wire name in any case, which differs between feeds."""
        folded = name.casefold()
        for listing in self._listings.values():
            if listing.wire_name.casefold() == folded:
                return listing
        return None

    def listings(self) -> Sequence[Listing]:
        """Return all instruments that the venue has now."""
        return [listing for listing in self._listings.values() if listing.is_listed]

    def every_listing(self) -> Sequence[Listing]:
        """Return all instruments, those too that the venue does not have now."""
        return list(self._listings.values())

    def venue_now_ns(self) -> int:
        """Return the venue's time, since the epoch."""
        return self._stage.venue_ns(self._stage.now_ns)

    def snapshot(self, listing: Listing, limit: int | None = None) -> BookView:
        """Return the true book, or a wrong one when a fault wants it."""
        now_ns = self._stage.now_ns
        fault = self._stage.box.take_snapshot(self.dialect.venue, listing.wire_name, now_ns)
        book = self._read(listing, limit)
        if fault is not None and fault.variant == "old":
            book = self._old[listing.wire_name]
        elif fault is not None:
            tick = listing.track.book.scale.tick_steps
            shift = book.bids[0][0] // FALSE_PRICE_DIVISOR // tick * tick
            book.bids = [(price + shift, size) for price, size in book.bids]
            book.asks = [(price + shift, size) for price, size in book.asks]
        return BookView(
            bids=book.bids[:limit],
            asks=book.asks[:limit],
            last_id=book.last_id,
            at_ns=self._stage.venue_ns(book.at_ns),
        )

    def next_id(self, listing: Listing, count: int) -> int:
        """Count update ids of an instrument up and return the last."""
        if self.dialect.has_common_ids:
            self._next_common_id += count
            listing.last_id = self._next_common_id
        else:
            listing.last_id += count
        return listing.last_id

    def _read(self, listing: Listing, limit: int | None) -> _OldBook:
        book = listing.track.book
        return _OldBook(
            bids=book.levels(Side.BID, limit),
            asks=book.levels(Side.ASK, limit),
            last_id=listing.last_id,
            at_ns=listing.changed_at_ns,
        )


class Stage:
    """All markets and their clients at one replay time.

    Attributes:
        now_ns: replay time.
        epoch_ns: venue time at replay time 0.
        venue_time_ratio: venue time that passes in replay time.
        box: armed faults and their counts.
        listeners: told of each instrument whose book has changed.
    """

    def __init__(
        self,
        *,
        listings: Sequence[Listing],
        dialects: Sequence[Dialect],
        epoch_ns: int,
        seed: int,
        faults: Sequence[ScriptedFault] = (),
        venue_time_ratio: float = 1.0,
    ) -> None:
        self.now_ns = 0
        self.epoch_ns = epoch_ns
        self.venue_time_ratio = venue_time_ratio
        self.box = FaultBox()
        self.counts: Counter[str] = Counter()
        self.listeners: list[Callable[[Market, Listing], None]] = []
        self._rng = random.Random(seed)  # noqa: S311 - shapes faults, guards nothing
        self._id_rng = random.Random(f"ids {seed}")  # noqa: S311 - same
        self._time_rng = random.Random(f"times {seed}")  # noqa: S311 - same
        self._entries: list[tuple[int, int, Callable[[], None]]] = []
        self._entry_count = 0
        self.markets: dict[str, Market] = {}
        for dialect in dialects:
            own = [item for item in listings if item.instrument.venue == dialect.venue]
            if own:
                self.markets[dialect.venue] = Market(self, dialect, own)
        for market in self.markets.values():
            self._schedule_market(market)
        for interval_ms in BATCH_INTERVALS_MS:
            self._schedule_batches(interval_ms)
        for fault in faults:
            self.at(int(fault.at_s * 1e9), partial(self.commit, self.check_fault(fault)))

    def check_fault(self, fault: ScriptedFault) -> ScriptedFault:
        """Refuse a fault that could never hit; return it with the wire name in this venue's case.

        Raises:
            SandboxStartError: the venue or instrument does not exist here.
        """
        market = self.markets.get(fault.venue)
        if market is None:
            raise SandboxStartError(f"fault {fault.fault} names unknown venue {fault.venue!r}")
        if fault.instrument == EVERY:
            return fault
        listing = market.named(fault.instrument)
        if listing is None:
            raise SandboxStartError(
                f"fault {fault.fault} names unknown instrument {fault.instrument!r} "
                f"at {fault.venue}"
            )
        return msgspec.structs.replace(fault, instrument=listing.wire_name)

    def venue_ns(self, at_ns: int) -> int:
        """Return the venues' time at a replay time, since the epoch."""
        return self.epoch_ns + int(at_ns * self.venue_time_ratio)

    def leave_out(self, time_ns: int) -> None:
        """Let replay time not pass; the venues' clocks go on as if it had."""
        self.epoch_ns += int(time_ns * self.venue_time_ratio)

    def next_at_ns(self) -> int:
        """Return the replay time of the next entry."""
        return self._entries[0][0]

    def advance(self, until_ns: int) -> None:
        """Play everything up to and including a replay time."""
        while self._entries and self._entries[0][0] <= until_ns:
            at_ns, _, action = heapq.heappop(self._entries)
            self.now_ns = max(self.now_ns, at_ns)
            action()
        self.now_ns = max(self.now_ns, until_ns)

    def settle(self) -> None:
        """Publish what waits for the end of its interval, so that the wire equals the truth."""
        for market in self.markets.values():
            self._flush(market, BATCH_INTERVALS_MS)

    def clients(self) -> Iterator[Client]:
        """Return all clients."""
        for market in self.markets.values():
            yield from market.clients

    def commit(self, fault: ScriptedFault) -> None:
        """Commit a fault now, or arm it for what it hits next."""
        match fault.fault:
            case FaultKind.STALL:
                until_ns = self.box.stall(fault, self.now_ns)
                self.at(until_ns, lambda: self._flush(self.markets[fault.venue], (0,)))
            case FaultKind.DISCONNECT | FaultKind.RECONNECT_REQUEST:
                self._disconnect(fault)
            case _:
                self.box.arm(fault)

    def _disconnect(self, fault: ScriptedFault) -> None:
        feeds = self.markets[fault.venue].dialect.feeds
        # Those of accounts have faults of their own.
        clients = [one for one in self.markets[fault.venue].clients if one.feed in feeds]
        for client in clients:
            if fault.fault is FaultKind.DISCONNECT:
                client.close(fault.variant)
            else:
                client.push(client.session.reconnect_request(), at_ns=self.now_ns)
        if clients:
            self.box.record(fault.venue, fault.instrument, fault.fault, self.now_ns)

    def at(self, at_ns: int, action: Callable[[], None]) -> None:
        """Let something happen at a replay time; at once at the next step, if that has passed."""
        self._entry_count += 1
        heapq.heappush(self._entries, (at_ns, self._entry_count, action))

    def every(self, interval_ns: int, action: Callable[[], None]) -> None:
        """Let something happen again and again, the first time after the interval."""

        def happen() -> None:
            action()
            self.every(interval_ns, action)

        self.at(self.now_ns + interval_ns, happen)

    def _schedule_market(self, market: Market) -> None:
        for listing in market.every_listing():
            self.at(listing.track.next_at_ns, partial(self._play, market, listing))
        for name, feed in market.dialect.feeds.items():
            if feed.heartbeat_s:
                interval_ns = int(feed.heartbeat_s * 1e9)
                self._schedule_heartbeat(market, name, interval_ns, interval_ns)

    def _schedule_heartbeat(self, market: Market, feed: str, at_ns: int, interval_ns: int) -> None:
        def beat() -> None:
            for client in market.clients:
                if client.feed == feed:
                    client.push(client.session.heartbeat(), at_ns=self.now_ns)
            self._schedule_heartbeat(market, feed, at_ns + interval_ns, interval_ns)

        self.at(at_ns, beat)

    def _schedule_batches(self, interval_ms: int, at_ns: int = 0) -> None:
        ratio = 1.0 + self._time_rng.uniform(-UNEVEN_RATIO, UNEVEN_RATIO)
        due_ns = at_ns + int(interval_ms * 1_000_000 * ratio)

        def flush() -> None:
            for market in self.markets.values():
                self._flush(market, (interval_ms,))
                for client in market.clients:
                    client.release(self.now_ns)
            self._schedule_batches(interval_ms, due_ns)

        self.at(due_ns, flush)

    def _flush(self, market: Market, intervals_ms: Sequence[int]) -> None:
        for (_, interval_ms), channel in market.channels.items():
            if interval_ms not in intervals_ms:
                continue
            if channel.pending or self._is_empty_event(market, channel):
                self._publish(market, channel)

    def _is_empty_event(self, market: Market, channel: _Channel) -> bool:
        """Say whether ids alone are to be told, and take them."""
        is_quick = channel.topic[1] == BATCH_INTERVALS_MS[0]
        if not (is_quick and market.dialect.has_empty_events):
            return False
        is_heard = any(channel.topic in client.session.topics for client in market.clients)
        if not is_heard or self._id_rng.random() >= EMPTY_RATIO:
            return False
        market.next_id(channel.listing, self._id_rng.randint(1, UNSEEN_IDS_MAX))
        return True

    def _play(self, market: Market, listing: Listing) -> None:
        cycles = listing.track.cycles
        changes = listing.track.step()
        self.at(listing.track.next_at_ns, partial(self._play, market, listing))
        if listing.track.cycles != cycles:
            self.counts["cycles"] += 1
        if not changes:
            return
        listing.changed_at_ns = self.now_ns
        market.next_id(listing, len(changes) + self._id_rng.randint(0, UNSEEN_IDS_MAX))
        for interval_ms in (0, *BATCH_INTERVALS_MS):
            channel = market.channels[listing.wire_name, interval_ms]
            for side, price, size in changes:
                channel.pending[side, price] = size
            if not interval_ms:
                self._publish(market, channel)
        for listener in self.listeners:
            listener(market, listing)

    def _publish(self, market: Market, channel: _Channel) -> None:
        venue, listing = market.dialect.venue, channel.listing
        listeners = [item for item in market.clients if channel.topic in item.session.topics]
        if not listeners:
            channel.pending.clear()
            channel.crossed.clear()
            channel.previous_id = listing.last_id
            return
        stall = self.box.stalled(venue, listing.wire_name, self.now_ns)
        if stall is not None and stall.variant == "late":
            return
        faults = [] if stall else self.box.take_frame(venue, listing.wire_name, self.now_ns)
        skipped = self._skip(market, channel, faults)
        publication = Publication(
            listing=listing,
            topic=channel.topic,
            changes=self._take_changes(channel, faults),
            previous_id=channel.previous_id,
            last_id=listing.last_id,
            at_ns=self.venue_ns(self.now_ns),
            skipped=skipped,
        )
        channel.previous_id = listing.last_id
        for client in listeners:
            frames = client.session.publish(publication)
            # Without sequence numbers, a gap is a frame that never comes.
            is_lost = skipped and not market.dialect.feeds[client.feed].has_sequence
            if stall is None and not is_lost:
                market.frames += len(frames)
                client.push(frames, at_ns=self.now_ns, faults=faults, rng=self._rng)

    def _skip(self, market: Market, channel: _Channel, faults: Sequence[ScriptedFault]) -> int:
        skipped = 0
        for fault in faults:
            if fault.fault is FaultKind.GAP:
                is_one = self._id_rng.random() < ONE_ALONE_RATIO
                skipped += fault.count * (1 if is_one else self._id_rng.randint(2, SKIPPED_IDS_MAX))
        if skipped:
            market.next_id(channel.listing, skipped)
            channel.previous_id += skipped
        return skipped

    def _take_changes(self, channel: _Channel, faults: Sequence[ScriptedFault]) -> list[Change]:
        book = channel.listing.track.book
        pending = channel.pending
        for side, price in channel.crossed:
            pending.setdefault((side, price), book.size(side, price))
        channel.crossed.clear()
        if any(fault.fault is FaultKind.CROSSED for fault in faults):
            best = book.best(Side.ASK)
            if best is not None:
                wrong = (Side.BID, best + book.scale.tick_steps)
                pending[wrong] = CROSS_SIZE_LOTS * book.scale.lot_steps
                channel.crossed.append(wrong)
        changes = [(side, price, size) for (side, price), size in pending.items()]
        channel.pending = {}
        return changes
