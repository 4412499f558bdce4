"""One stream of a webhook provider, as the chain's nodes judge it: right, wrong, missing, late.

It is told what the stream told and what blocks hold. A pool counts as covered by a stream from its
first event of a kind on: from then on each event of that kind is expected of it. Of a contract that
holds many pools each counts by itself: one may have been followed only since.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from engine.bus.hooked import HookLine
from engine.chains.ports import BlockRef, Log
from engine.domain.units import NS_PER_MS, NS_PER_S

Key = tuple[str, str, int]
"""Block, transaction, place: what an event is known by, whoever tells it."""

LATE_NS: Final = 60 * NS_PER_S
"""An event that a stream has not told so long after its block is missing."""

EXPECTED_MAX: Final = 20_000
TOLD_MAX: Final = 20_000
COVERED_MAX: Final = 20_000
MISSED_MAX: Final = 5_000
SPANS_MAX: Final = 64
KEPT: Final = 512

SCORE_MAX: Final = 100
WRONG_COSTS: Final = 10
DOUBTED_BELOW: Final = 50
TRUSTED_FROM: Final = 80
"""A stream that is wrong costs ten blocks in which it is right, however much it tells in each: else
who has its secret could be wrong for ever beside all that is right. Doubted once, it has to make up
for it."""

STRAY_BLOCKS: Final = 2
"""So many blocks stand on its height when a block that was told and never came counts as wrong: a
branch that lost costs that once, a made-up one as often as one is made up."""


@dataclass(slots=True)
class _Counts:
    told: int = 0
    right: int = 0
    ahead: int = 0
    wrong: int = 0
    missing: int = 0
    late: int = 0
    branches: int = 0
    unjudged: int = 0
    triggers: int = 0


@dataclass(slots=True)
class HookStream:
    """What one stream told of one chain, and how that was.

    Attributes:
        pool_of: which followed pool an event is of, by its address or id.
        is_doubted: nothing follows of what it tells.
    """

    name: str
    pool_of: Callable[[Log], str]
    is_doubted: bool = False
    counts: _Counts = field(default_factory=_Counts)
    _score: int = SCORE_MAX
    _covered: "OrderedDict[tuple[str, bytes], int]" = field(default_factory=OrderedDict)
    _told: "OrderedDict[Key, _Told]" = field(default_factory=OrderedDict)
    _expected: "OrderedDict[Key, _Expected]" = field(default_factory=OrderedDict)
    _missed: "OrderedDict[Key, None]" = field(default_factory=OrderedDict)
    _judged: "OrderedDict[Key, None]" = field(default_factory=OrderedDict)
    _strays: "OrderedDict[str, None]" = field(default_factory=OrderedDict)
    _heights: "OrderedDict[int, None]" = field(default_factory=OrderedDict)
    _right_in: int = 0
    _lag_ms: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    _lead_ms: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    _last_block: int | None = None
    _left_out: list[tuple[int, int]] = field(default_factory=list)
    _newest_at_ns: int = 0

    def tell(self, log: Log, received_at_ns: int, *, tip_number: int, is_here: bool) -> bool:
        """Take an event of a followed pool; say whether the stream told it for the first time.

        Args:
            log: the event.
            received_at_ns: when it came.
            tip_number: of the newest block.
            is_here: whether its block is one of those that stand.
        """
        key = _key(log)
        self._newest_at_ns = max(self._newest_at_ns, received_at_ns)
        if key in self._told or key in self._judged:
            return False
        self.counts.told += 1
        is_covered = self._is_expected(log)
        if log.topics:
            self._cover((self.pool_of(log), log.topics[0]), max(log.block_number, tip_number))
        expected = self._expected.pop(key, None)
        if expected is not None:
            self._judge(log, expected.log, key, is_ahead=False)
            self._lag_ms.append((received_at_ns - expected.made_at_s * NS_PER_S) / NS_PER_MS)
        elif key in self._missed:
            del self._missed[key]
            self.counts.late += 1
            self._remember(key)
        elif is_here and is_covered:  # each that is there was expected
            self._remember(key)
            self._wrong()
        elif is_here:
            self.counts.unjudged += 1
            self._remember(key)
        else:
            self._told[key] = _Told(log, received_at_ns, log.block_number > tip_number)
            if len(self._told) > TOLD_MAX:
                self._told.popitem(last=False)
                self.counts.unjudged += 1
        return True

    def block(self, ref: BlockRef, logs: Iterable[Log], now_ns: int) -> None:
        """Learn what a block holds of followed pools; those of its height are undone."""
        self._forget_from(ref.number)
        self._heights[ref.number] = None
        if len(self._heights) > KEPT:
            self._heights.popitem(last=False)
        there: dict[Key, Log] = {}
        for log in logs:
            key = _key(log)
            there[key] = log
            told = self._told.pop(key, None)
            if told is not None:
                self._judge(told.log, log, key, is_ahead=True)
                self._lead_ms.append((now_ns - told.received_at_ns) / NS_PER_MS)
                made_at_ns = ref.made_at_s * NS_PER_S
                self._lag_ms.append((told.received_at_ns - made_at_ns) / NS_PER_MS)
            elif key not in self._judged and self._is_expected(log):
                self._expected[key] = _Expected(log, ref.made_at_s, now_ns)
        self._settle(ref, now_ns)
        while len(self._expected) > EXPECTED_MAX:
            self._miss(next(iter(self._expected)))

    def branch(self, log: Log) -> None:
        """Learn that an event that was told is of a block on no branch that is followed."""
        if self._told.pop(_key(log), None) is not None:
            self.counts.branches += 1
            self._remember(_key(log))

    def unjudged(self, received_at_ns: int) -> None:
        """Take an event that nobody here can judge."""
        self._newest_at_ns = max(self._newest_at_ns, received_at_ns)
        self.counts.unjudged += 1

    def span(self, first: int, last: int) -> None:
        """Learn for which blocks a body says that it is whole."""
        if self._last_block is not None and first > self._last_block + 1:
            self._left_out.append((self._last_block + 1, first - 1))
            del self._left_out[:-SPANS_MAX]
        self._last_block = last if self._last_block is None else max(self._last_block, last)
        self._left_out = [
            part
            for begin, end in self._left_out
            for part in ((begin, min(end, first - 1)), (max(begin, last + 1), end))
            if part[0] <= part[1]
        ]

    def line(self, now_ns: int) -> HookLine:
        """Return how the stream is."""
        counts = self.counts
        lags = sorted(self._lag_ms)
        leads = sorted(self._lead_ms)
        return HookLine(
            stream=self.name,
            told=counts.told,
            right=counts.right,
            ahead=counts.ahead,
            wrong=counts.wrong,
            missing=counts.missing,
            late=counts.late,
            branches=counts.branches,
            unjudged=counts.unjudged,
            triggers=counts.triggers,
            gaps=len(self._left_out),
            gap_blocks=sum(last - first + 1 for first, last in self._left_out),
            is_doubted=self.is_doubted,
            age_s=(now_ns - self._newest_at_ns) / NS_PER_S if self._newest_at_ns else None,
            lag_ms={
                name: round(lags[round(part * (len(lags) - 1))], 1)
                for name, part in (("p50", 0.5), ("p99", 0.99))
                if lags
            },
            lead_ms=round(leads[len(leads) // 2], 1) if leads else None,
        )

    def _cover(self, what: tuple[str, bytes], block_number: int) -> None:
        if what in self._covered:
            self._covered.move_to_end(what)
            return
        self._covered[what] = block_number
        if len(self._covered) > COVERED_MAX:
            self._covered.popitem(last=False)

    def _is_expected(self, log: Log) -> bool:
        if not log.topics:
            return False
        since = self._covered.get((self.pool_of(log), log.topics[0]))
        return since is not None and log.block_number > since

    def _judge(self, told: Log, there: Log, key: Key, *, is_ahead: bool) -> None:
        self._remember(key)
        if (told.address, told.topics, told.data) != (there.address, there.topics, there.data):
            self._wrong()
            return
        self.counts.right += 1
        self.counts.ahead += is_ahead
        if there.block_number > self._right_in:
            self._right_in = there.block_number
            self._score = min(self._score + 1, SCORE_MAX)
        self.is_doubted = self.is_doubted and self._score < TRUSTED_FROM

    def _wrong(self) -> None:
        self.counts.wrong += 1
        self._lose()

    def _stray(self, log: Log) -> None:
        """Count a block that was told ahead and is none of its height, once.

        Of a height that nobody showed nothing is known: its block may be the one that was told.
        """
        if log.block_number in self._heights and log.block_hash not in self._strays:
            self._strays[log.block_hash] = None
            if len(self._strays) > TOLD_MAX:
                self._strays.popitem(last=False)
            self._lose()

    def _lose(self) -> None:
        self._score = max(self._score - WRONG_COSTS, 0)
        self.is_doubted = self.is_doubted or self._score < DOUBTED_BELOW

    def _settle(self, ref: BlockRef, now_ns: int) -> None:
        """Judge what a block ends: what is not in it was not so, what was long ago is missing."""
        for key, told in list(self._told.items()):
            if told.is_ahead and told.log.block_number + STRAY_BLOCKS <= ref.number:
                self._stray(told.log)
            if key[0] == ref.hash:
                del self._told[key]
                self._remember(key)
                self._wrong()
            elif told.log.block_number <= ref.number and now_ns - told.received_at_ns > LATE_NS:
                self.branch(told.log)
        while self._expected:
            key, expected = next(iter(self._expected.items()))
            if now_ns - expected.at_ns <= LATE_NS:
                break
            self._miss(key)

    def _miss(self, key: Key) -> None:
        del self._expected[key]
        self.counts.missing += 1
        self._missed[key] = None
        if len(self._missed) > MISSED_MAX:
            self._missed.popitem(last=False)

    def _forget_from(self, number: int) -> None:
        """Expect nothing of blocks that were undone."""
        for key, expected in reversed(list(self._expected.items())):
            if expected.log.block_number < number:
                break
            del self._expected[key]

    def _remember(self, key: Key) -> None:
        self._judged[key] = None
        if len(self._judged) > TOLD_MAX:
            self._judged.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Told:
    log: Log
    received_at_ns: int
    is_ahead: bool


@dataclass(frozen=True, slots=True)
class _Expected:
    log: Log
    made_at_s: int
    at_ns: int


def _key(log: Log) -> Key:
    return log.block_hash, log.tx_hash, log.index
