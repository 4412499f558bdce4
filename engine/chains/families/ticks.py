"""Reads the initialised ticks of concentrated pools: which words of a bitmap, then each tick.

A pool whose spacing makes more than WORDS_MAX words is read about its price alone; a swap that
would leave what was read is refused, and the pool is read anew when its price does.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

import msgspec

from engine.chains.families.reading import NotReadError, answered
from engine.chains.families.words import unsigned
from engine.chains.ports import BlockRef, Call, Reader
from engine.pools.snapshot_rows import TICKS_MAX
from engine.pools.tick_math import TICK_MAX, TICK_MIN
from engine.pools.tick_table import WORD_BITS

WORDS_MAX: Final = 700
"""Words of a spacing of 10, ticks of the fullest pools of all, are 694; of 1 they are 6,932."""


class TickCalls(Protocol):
    """How a make is asked for ticks."""

    def word_call(self, index: int) -> Call:
        """Return the call for a word of the bitmap."""
        ...

    def tick_call(self, tick: int) -> Call:
        """Return the call for a tick."""
        ...

    def tick_of(self, data: bytes) -> tuple[int, int]:
        """Return gross and net liquidity from an answer of `tick_words` words."""
        ...

    @property
    def tick_words(self) -> int:
        """The least words of a tick's answer."""
        ...


class Asked(NamedTuple):
    """A pool whose ticks are wanted."""

    calls: TickCalls
    tick: int
    tick_spacing: int


class Ticks(msgspec.Struct, frozen=True, kw_only=True):
    """Ticks in rising order as a row has them."""

    ticks: tuple[tuple[int, str], ...]
    grosses: tuple[str, ...]
    known_min: int
    known_max: int


async def read_ticks(
    asked: Sequence[Asked], reader: Reader, at: BlockRef
) -> list[Ticks | NotReadError]:
    """Read the ticks of pools, each for itself.

    Raises:
        NodeError: nothing could be read.
    """
    spans = [words_of(one) for one in asked]
    words = await reader.call(
        [
            one.calls.word_call(index)
            for one, span in zip(asked, spans, strict=True)
            for index in span
        ],
        at,
    )
    found: list[list[int] | NotReadError] = []
    start = 0
    for one, span in zip(asked, spans, strict=True):
        found.append(_ticks_in(one, span, words[start : start + len(span)]))
        start += len(span)
    answers = await reader.call(
        [
            one.calls.tick_call(tick)
            for one, ticks in zip(asked, found, strict=True)
            if isinstance(ticks, list)
            for tick in ticks
        ],
        at,
    )
    read: list[Ticks | NotReadError] = []
    start = 0
    for one, span, ticks in zip(asked, spans, found, strict=True):
        if isinstance(ticks, NotReadError):
            read.append(ticks)
            continue
        read.append(_ticks(one, span, ticks, answers[start : start + len(ticks)]))
        start += len(ticks)
    return read


def words_of(asked: Asked) -> range:
    """Return which words are read: all, or WORDS_MAX of them about the price."""
    size = asked.tick_spacing * WORD_BITS
    first, last = TICK_MIN // asked.tick_spacing // WORD_BITS, TICK_MAX // size
    if last - first < WORDS_MAX:
        return range(first, last + 1)
    middle = asked.tick // size
    start = min(max(middle - WORDS_MAX // 2, first), last + 1 - WORDS_MAX)
    return range(start, start + WORDS_MAX)


def _ticks_in(asked: Asked, span: range, words: Sequence[bytes | None]) -> list[int] | NotReadError:
    """Return the ticks that the words of a bitmap name."""
    ticks = []
    for index, answer in zip(span, words, strict=True):
        try:
            bits = unsigned(answered(answer, 1, what="word of ticks"), 0)
        except NotReadError as error:
            return error
        while bits:
            lowest = bits & -bits
            place = index * WORD_BITS + lowest.bit_length() - 1
            ticks.append(place * asked.tick_spacing)
            bits ^= lowest
        if len(ticks) > TICKS_MAX:
            return NotReadError(f"it has over {TICKS_MAX} ticks in use")
    if ticks and not TICK_MIN <= ticks[0] <= ticks[-1] <= TICK_MAX:
        return NotReadError(f"ticks {ticks[0]} to {ticks[-1]} in use: beyond all prices")
    return ticks


def _ticks(
    asked: Asked, span: range, ticks: Sequence[int], answers: Sequence[bytes | None]
) -> Ticks | NotReadError:
    nets, grosses = [], []
    for tick, answer in zip(ticks, answers, strict=True):
        try:
            data = answered(answer, asked.calls.tick_words, what=f"tick {tick}")
        except NotReadError as error:
            return error
        gross, net = asked.calls.tick_of(data)
        nets.append((tick, str(net)))
        grosses.append(str(gross))
    low, high = (index * WORD_BITS * asked.tick_spacing for index in (span.start, span.stop))
    return Ticks(
        ticks=tuple(nets),
        grosses=tuple(grosses),
        known_min=max(low, TICK_MIN),
        known_max=min(high - 1, TICK_MAX),
    )
