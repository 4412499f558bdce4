"""Builds rows from a REST snapshot and the changes buffered around it.

For venues whose stream has no snapshot. The order is always the same: changes are buffered, then a
snapshot is fetched, so that one not older than the first buffered change leaves no hole.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from engine.connectors.link import FAULT_OF, RETRY_NS, UNREADABLE, Delta, Link, Row
from engine.domain.faults import Fault
from engine.ports import NO_ACTIONS, Action, Applied, Fetch, LevelForm

_OK = Applied.OK
_FORM = LevelForm.PAIRS
_KEY = "book:"


class Snapshot(Protocol):
    """A decoded REST answer; `last_id` is the id (or time) of the last change in it."""

    last_id: int
    bids: msgspec.Raw
    asks: msgspec.Raw


class RestBook:
    """Snapshot and replay for the rows of one link.

    Args:
        path_of: the REST path of a row's snapshot.
        decode: decodes the answer.
        is_chained: each change names the one before it, so that a hole among them can be seen.
        ahead_max: a snapshot farther ahead of the stream than this is no true one (ids or us).
    """

    def __init__(
        self,
        link: Link,
        *,
        path_of: Callable[[Row], str],
        decode: Callable[[bytes], Snapshot],
        is_chained: bool,
        ahead_max: int,
    ) -> None:
        self._link = link
        self._rows = link.by_wire
        self._path_of = path_of
        self._decode = decode
        self._is_chained = is_chained
        self._ahead_max = ahead_max

    def keep(self, row: Row, delta: Delta, at_ns: int) -> Sequence[Action]:
        """Buffer a change of a row that is not live; the first one asks for the snapshot."""
        if len(row.buffer) >= self._link.limits.buffered_frames_max:
            self._link.sink.invalidate(row.book, Fault.BUFFER_FULL, at_ns)
            row.buffer = []
        row.buffer.append(delta)
        if len(row.buffer) > 1 or row.is_fetching:
            return NO_ACTIONS
        if at_ns < row.fetch_at_ns:
            row.ask_at_ns = row.fetch_at_ns
            return NO_ACTIONS
        return (self.fetch(row, at_ns),)

    def fetch(self, row: Row, at_ns: int) -> Fetch:
        """Ask for a row's snapshot."""
        self._link.asked(row, at_ns)
        row.is_fetching = True
        row.fetch_at_ns = at_ns + RETRY_NS
        return Fetch(key=f"{_KEY}{row.wire}", path=self._path_of(row))

    def invalidate(self, row: Row, fault: Fault, at_ns: int) -> Sequence[Action]:
        """Make a row stale; the next change starts a new buffer, and with it a new fetch."""
        self._link.drop(row, fault, at_ns)
        row.ask_at_ns = max(row.fetch_at_ns, at_ns + self._link.age_ns)
        return NO_ACTIONS

    def fetched(self, key: str, payload: bytes, at_ns: int) -> Sequence[Action]:
        """Take a snapshot and replay what was buffered since before it."""
        row = self._asking(key)
        if row is None:
            return NO_ACTIONS
        row.is_fetching = False
        try:
            snapshot = self._decode(payload)
        except UNREADABLE as error:
            is_shape = isinstance(error, msgspec.ValidationError)
            return self._refetch(row, Fault.BAD_SHAPE if is_shape else Fault.BAD_JSON, at_ns)
        if not row.buffer or snapshot.last_id < row.buffer[0][0]:
            return self._refetch(row, Fault.SNAPSHOT_TOO_OLD, at_ns)
        if snapshot.last_id > row.buffer[-1][1] + self._ahead_max:
            return self._refetch(row, Fault.BAD_NUMBER, at_ns)
        link = self._link
        outcome = link.sink.replace(row.book, _FORM, snapshot.bids, snapshot.asks, at_ns)
        if outcome is not _OK:
            return self._refetch(row, FAULT_OF[outcome], at_ns)
        return self._replay(row, snapshot.last_id, at_ns)

    def fetch_failed(self, key: str, at_ns: int) -> Sequence[Action]:
        """Learn that a snapshot cannot be had now; a later tick asks again."""
        row = self._asking(key)
        if row is None:
            return NO_ACTIONS
        row.is_fetching = False
        return self._refetch(row, Fault.FETCH_FAILED, at_ns)

    def _asking(self, key: str) -> Row | None:
        row = self._rows.get(key.removeprefix(_KEY)) if key.startswith(_KEY) else None
        return row if row is not None and row.is_fetching and self._link.is_open else None

    def _refetch(self, row: Row, fault: Fault, at_ns: int) -> Sequence[Action]:
        row.fetch_at_ns = row.ask_at_ns = at_ns + self._link.failed(row, fault, at_ns)
        return NO_ACTIONS

    def _replay(self, row: Row, snapshot_id: int, at_ns: int) -> Sequence[Action]:
        buffer = row.buffer
        self._link.made_live(row, snapshot_id)
        for index, (before_id, last_id, bids, asks) in enumerate(buffer):
            if last_id <= snapshot_id:
                continue
            if self._is_chained and before_id > row.last_id:
                self._link.drop(row, Fault.GAP, at_ns)
                row.buffer = buffer[index:]
                row.ask_at_ns = row.fetch_at_ns
                return NO_ACTIONS
            outcome = self._link.sink.apply(row.book, _FORM, bids, asks, at_ns)
            if outcome is not _OK:
                return self.invalidate(row, FAULT_OF[outcome], at_ns)
            row.last_id = last_id
        return NO_ACTIONS
