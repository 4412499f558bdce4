"""Events that webhooks told of a chain: hints of the next block, judged by its nodes, never booked.

The rule: what a pool is, its chain's nodes say, and nobody else. An event of a block that is here
says nothing new, whatever it says. One of the next block is stepped from the pools as they are now:
if it moves a price far, background work makes way and the engine is told to wait for that block.
One of a block further on has the nodes asked for their newest block, and waits for its turn. Each
block ends all hints for it.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from engine.bus.hooked import HookEvent, HookLine, HookWord, Level
from engine.chains.pending.hook_stream import HookStream
from engine.chains.pending.stepping import Step, Stepping, StepPools
from engine.chains.pending.whales import Swapped
from engine.chains.ports import BlockRef, Log

HINTS_MAX: Final = 4_096
"""Of one block."""

BLOCKS_MAX: Final = 64
"""That are still to come; further ones wait for the nodes."""

STREAMS_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Told:
    """A swap that a webhook told ahead of its block."""

    stream: str
    swap: Swapped


@dataclass(slots=True)
class _Coming:
    """A block that is still to come, as it was told.

    Attributes:
        hash: of the block by whoever told first; others tell of another branch.
        logs: by their places.
        fresh: places of those that were not stepped yet.
    """

    hash: str
    logs: dict[int, tuple[str, Log]] = field(default_factory=dict)
    fresh: set[int] = field(default_factory=set)


class Hooked:
    """What webhooks told of one chain.

    Args:
        steps_of: what an event does to pools that are followed.
        pools: as they are at the newest block.
        pool_of: which pool that is followed an event is of, by its address or id; empty for none.
        tip: the newest block, None before the first.
        depth_of: how many blocks stand on one, by its hash; None if it is none that stands.
        ask_latest: has the nodes asked for their newest block.

    Attributes:
        word: how the gateway's webhooks were when that was last told.
    """

    def __init__(
        self,
        *,
        steps_of: Callable[[Log], Sequence[Step]],
        pools: StepPools,
        pool_of: Callable[[Log], str],
        tip: Callable[[], BlockRef | None],
        depth_of: Callable[[str], int | None],
        ask_latest: Callable[[], None],
    ) -> None:
        self.word: HookWord | None = None
        self._steps_of, self._pools, self._pool_of = steps_of, pools, pool_of
        self._tip, self._depth_of, self._ask_latest = tip, depth_of, ask_latest
        self._streams: OrderedDict[str, HookStream] = OrderedDict()
        self._coming: dict[int, _Coming] = {}
        self._stepping: Stepping | None = None
        self._last_place = -1

    def hear(self, events: Iterable[HookEvent]) -> list[Told]:
        """Take events; return the swaps of the next block among them, each once."""
        tip = self._tip()
        is_next = False
        for event in events:
            stream = self._stream(event.stream)
            log = _log_of(event)
            if event.level is Level.REMOVED and self._depth_of(log.block_hash) is not None:
                self._ask_latest()  # nodes have the last word on which blocks stand
            if tip is None or event.level is Level.REMOVED or not self._pool_of(log):
                stream.unjudged(event.received_at_ns)
                continue
            is_next |= self._take(stream, log, event.received_at_ns, tip)
        return self._step(tip.number + 1) if is_next and tip is not None else []

    def spans(self, spans: Iterable[tuple[str, int, int]]) -> None:
        """Learn for which blocks bodies say that they are whole."""
        for name, first, last in spans:
            self._stream(name).span(first, last)

    def block(self, ref: BlockRef, logs: Sequence[Log], now_ns: int) -> None:
        """Learn what a block holds: nothing that was told of it, or before it, is waited for."""
        if self._streams:
            followed = [log for log in logs if self._pool_of(log)]
            for stream in self._streams.values():
                stream.block(ref, followed, now_ns)
        self._coming = {at: one for at, one in self._coming.items() if at > ref.number}
        for one in self._coming.values():
            one.fresh = set(one.logs)  # the pools that they are stepped from are others now
        self._stepping, self._last_place = None, -1

    def after_block(self) -> list[Told]:
        """Return the swaps of what is the next block by now, as far as it was told."""
        tip = self._tip()
        if tip is None or tip.number + 1 not in self._coming:
            return []
        return self._step(tip.number + 1)

    def triggered(self, stream: str) -> None:
        """Count that something followed of what a stream told."""
        self._stream(stream).counts.triggers += 1

    def lines(self, now_ns: int) -> list[HookLine]:
        """Return how each stream is."""
        return [one.line(now_ns) for _, one in sorted(self._streams.items())]

    def _take(self, stream: HookStream, log: Log, received_at_ns: int, tip: BlockRef) -> bool:
        """Take an event of a followed pool; say whether it is new, and of the next block."""
        ahead = log.block_number - tip.number
        is_here = ahead <= 0 and self._depth_of(log.block_hash) is not None
        is_first = stream.tell(log, received_at_ns, tip_number=tip.number, is_here=is_here)
        if ahead <= 0:
            if is_first and not is_here:
                self._ask_latest()  # another block of this height: whether nodes follow it now
            return False
        if stream.is_doubted or not is_first:
            return False
        if ahead > 1:
            self._ask_latest()
        if ahead > BLOCKS_MAX:
            return False
        coming = self._coming.setdefault(log.block_number, _Coming(log.block_hash))
        if coming.hash != log.block_hash or len(coming.logs) >= HINTS_MAX:
            return False
        if log.index not in coming.logs:
            coming.logs[log.index] = stream.name, log
            coming.fresh.add(log.index)
        return ahead == 1

    def _step(self, number: int) -> list[Told]:
        """Step through what is told of the next block, in its order; return what is new of it."""
        coming = self._coming[number]
        fresh, coming.fresh = coming.fresh, set()
        places = sorted(fresh)
        if self._stepping is None or (places and places[0] < self._last_place):
            # The first ones of this block, or one came that stands before others.
            self._stepping, places = Stepping(self._pools), sorted(coming.logs)
        found = []
        for place in places:
            name, log = coming.logs[place]
            swaps = self._stepping.take(self._steps_of(log))
            found += [Told(name, swap) for swap in swaps if place in fresh]
        self._last_place = places[-1] if places else self._last_place
        return found

    def _stream(self, name: str) -> HookStream:
        stream = self._streams.get(name)
        if stream is None:
            stream = self._streams[name] = HookStream(name, self._pool_of)
            if len(self._streams) > STREAMS_MAX:
                self._streams.popitem(last=False)
        return stream


def _log_of(event: HookEvent) -> Log:
    return Log(
        address=event.address,
        topics=event.topics,
        data=event.data,
        block_number=event.block_number,
        block_hash=event.block_hash,
        tx_hash=event.tx_hash,
        index=event.log_index,
    )
