"""The cross-audit of a feed whose frames and REST book carry neither id nor time in common.

A fetched book may be ahead of the row or some seconds behind, and nothing in it tells: times of its
levels are those of other things, an HTTP date has whole seconds. But if no change was lost, the
book is what the row was at *some* moment: the row is walked back through its log to the moment at
which the fewest places differ. If that is now, or a place was changing, the book may be ahead, and
is compared once more with the changes that came since: a place that changed after the fetch is
mended, if it had lost anything, as sizes are absolute. Of the others only a place that differs
twice running is a lost change.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from engine.connectors.audit import (
    ASK,
    BID,
    COMPARED_LEVELS,
    Level,
    Place,
    Sides,
    best_of,
)
from engine.connectors.audits import Audit, Verdict
from engine.connectors.link import Delta, Row
from engine.connectors.steps import parse_size_steps, parse_steps
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument
from engine.ports import BookSink

LAG_NS: Final = 5_000_000_000
"""A fetched book is no older than this; no document says so."""

WAIT_NS: Final = 250_000_000
WAIT_AGAIN_NS: Final = 2_000_000_000
"""How long a frame may come behind a book that has its change: for a first suspicion, and before a
row is given up. A venue that is later than the second is out of every decision by default."""

CHANGING_NS: Final = 500_000_000
"""A place that changed so lately may be caught in the middle of a change."""

KNOWN_LEVELS: Final = 200
"""Levels per side that are remembered from before the log."""

Change = tuple[int, Place, int]
"""When a place got which size."""

_UNKNOWN: Final = -1


@dataclass(slots=True, kw_only=True)
class UndatedAudit(Audit):
    """A row whose log goes back to `logged_from_ns`.

    Attributes:
        sizes: what rested before the log, of the places up to `reach`: per side the worst price
            that is known, None for all.
        fetched: a book that differed when it came, at `fetched_at_ns`.
        suspects: places that differed from the book before.
    """

    logged_from_ns: int
    sizes: dict[Place, int]
    reach: tuple[int | None, int | None]
    fetched: dict[Place, int] | None = None
    fetched_at_ns: int = 0
    suspects: frozenset[Place] = frozenset()

    def size_before(self, place: Place) -> int:
        """Return what rested at a place before the log."""
        side, price = place
        is_known = _is_within(side, price, self.reach[side])
        return self.sizes.get(place, 0 if is_known else _UNKNOWN)


LevelText = tuple[int, object, object]
"""Side, price and size of a change as it stood in a frame."""


class UndatedAuditor:
    """Obeys `audits.Auditor`.

    Args:
        path_of: the REST path of a row's book, of `COMPARED_LEVELS` a side.
        read_book: the sides of such a book, None if a number in it is none.
        changes_of: the changes of an entry of a row's log.
    """

    ahead_ns = LAG_NS

    def __init__(
        self,
        sink: BookSink,
        *,
        path_of: Callable[[Row], str],
        read_book: Callable[[bytes, Instrument], Sides | None],
        changes_of: Callable[[Delta], Iterable[LevelText]],
    ) -> None:
        self._sink = sink
        self._path_of = path_of
        self._read_book = read_book
        self._changes_of = changes_of

    def path_of(self, row: Row) -> str:
        """Return the REST path of a row's book."""
        return self._path_of(row)

    def begin(self, row: Row, at_ns: int) -> UndatedAudit:
        """Begin with a row as it is."""
        live = self._sink.top_levels(row.book, KNOWN_LEVELS)
        bid_reach, ask_reach = (
            levels[-1][0] if len(levels) == KNOWN_LEVELS else None for levels in live
        )
        return UndatedAudit(
            logged_from_ns=at_ns, sizes=_by_place(live), reach=(bid_reach, ask_reach)
        )

    def review(self, row: Row, audit: UndatedAudit, log: list[Delta], at_ns: int) -> Verdict:
        """Look again at what differed; cut the log to what a fetched book may lag by."""
        if audit.fetched is not None:
            wait_ns = WAIT_AGAIN_NS if audit.suspects else WAIT_NS
            if at_ns - audit.fetched_at_ns < wait_ns:
                return Verdict.WAITING
            changes = list(self._changes(log, row.instrument))
            found, _ = self._differences(row, audit, audit.fetched, changes)
            audit.fetched = None
            return _judged(audit, found - _changed_since(changes, audit.fetched_at_ns))
        oldest_ns = at_ns - LAG_NS
        old = next((i for i, delta in enumerate(log) if delta[0] >= oldest_ns), len(log))
        for _, place, size in self._changes(log[:old], row.instrument):
            audit.sizes[place] = size
        del log[:old]
        return Verdict.READY if at_ns - audit.logged_from_ns >= LAG_NS else Verdict.WAITING

    def compare(
        self, row: Row, audit: UndatedAudit, log: list[Delta], payload: bytes, at_ns: int
    ) -> Verdict | Fault:
        """Compare a fetched book with what the row was; keep it for a while if it differs."""
        sides = self._read_book(payload, row.instrument)
        if sides is None:
            return Fault.BAD_NUMBER
        fetched: dict[Place, int] = {}
        for side in (BID, ASK):
            best = best_of(side, sides[side], COMPARED_LEVELS)
            fetched |= {(side, price): size for price, size in best}
        changes = list(self._changes(log, row.instrument))
        found, is_behind = self._differences(row, audit, fetched, changes)
        if found and (not is_behind or found & _changed_since(changes, at_ns - CHANGING_NS)):
            audit.fetched, audit.fetched_at_ns = fetched, at_ns
            return Verdict.WAITING
        return _judged(audit, found)

    def _differences(
        self, row: Row, audit: UndatedAudit, fetched: dict[Place, int], changes: list[Change]
    ) -> tuple[set[Place], bool]:
        """Return what differs when the fewest places do, and whether that was before now."""
        live = _by_place(self._sink.top_levels(row.book, KNOWN_LEVELS))
        reach = [_common_reach(side, fetched, live) for side in (BID, ASK)]
        differing = {
            place
            for place in fetched.keys() | live.keys()
            if _is_within(*place, reach[place[0]]) and fetched.get(place, 0) != live.get(place, 0)
        }
        now, fewest = len(differing), set(differing)
        sizes_before, size_now = [], dict[Place, int]()
        for _, place, size in changes:
            sizes_before.append(size_now.get(place, audit.size_before(place)))
            size_now[place] = size
        for index in reversed(range(len(changes))):
            if not fewest:
                break
            at_ns, place, _ = changes[index]
            if _is_within(*place, reach[place[0]]):
                before = sizes_before[index]
                is_equal = before in {_UNKNOWN, fetched.get(place, 0)}
                (differing.discard if is_equal else differing.add)(place)
            is_frames_first = index == 0 or changes[index - 1][0] != at_ns
            if is_frames_first and len(differing) < len(fewest):
                fewest = set(differing)
        return fewest, len(fewest) < now

    def _changes(self, log: Sequence[Delta], instrument: Instrument) -> Iterator[Change]:
        for delta in log:
            for side, price, size in self._changes_of(delta):
                steps = parse_steps(str(price), instrument.price_decimals)
                size_steps = parse_size_steps(str(size), instrument.size_decimals)
                if steps is not None and size_steps is not None:
                    yield delta[0], (side, steps), size_steps


def _judged(audit: UndatedAudit, found: set[Place]) -> Verdict:
    is_lost = bool(found & audit.suspects)
    audit.suspects = frozenset(found)
    if is_lost:
        return Verdict.LOST
    return Verdict.SUSPECT if found else Verdict.PASSED


def _changed_since(changes: Sequence[Change], from_ns: int) -> set[Place]:
    return {place for at_ns, place, _ in changes if at_ns >= from_ns}


def _by_place(sides: Sequence[Sequence[Level]]) -> dict[Place, int]:
    return {(side, price): size for side in (BID, ASK) for price, size in sides[side]}


def _common_reach(side: int, fetched: dict[Place, int], live: dict[Place, int]) -> int | None:
    """Return the worst price that both of two books tell about; None if one of them is empty."""
    worst = [
        (min if side == BID else max)(prices)
        for book in (fetched, live)
        if (prices := [price for its_side, price in book if its_side == side])
    ]
    if len(worst) < len((fetched, live)):
        return None
    return max(worst) if side == BID else min(worst)


def _is_within(side: int, price: int, reach: int | None) -> bool:
    return reach is None or (price >= reach if side == BID else price <= reach)
