"""A block's whole way: from the bytes of a node's answer through both roles to screened routes.

`python -m benchmarks.chain_path`. Everything that role and engine do for a block is in it, and
nothing else: the answer read, checked and taken by the pools that the role follows, looked at for
prices that move far, the word made, read, made again as it is recorded, taken by the engine's pools
and screened in the large market.
"""

import random
from collections.abc import Callable
from functools import partial
from typing import Final, cast

import msgspec

from benchmarks.chain_logs import Wire, sync_log
from benchmarks.harness import Row, machine, print_table, row, time_calls
from benchmarks.live_market import AT_NS, FIRST_BLOCK, MOVE_RATIO, POOLS, LiveMarket
from engine.chains.families.uniswap_v2 import UniswapV2
from engine.chains.following.asks import AskLogs, AskRead
from engine.chains.following.blooms import bloom_of
from engine.chains.following.headers import Header, parse_logs
from engine.chains.following.machine import Following
from engine.chains.pending.watch import PendingWatch, WatchLimits
from engine.chains.pending.whales import Whale, WhaleTerms
from engine.chains.ports import BlockRef, Node, PoolNow
from engine.chains.rpc import checks
from engine.chains.rpc.messages import Asked, answers_to, decode
from engine.chains.rpc.parsing import hex_bytes, parse_log
from engine.detect.moving.moving_pools import MovingPools
from engine.domain.chains import CHAINS, BlockTerms
from engine.pools.blocks import ChainWord
from engine.pools.constant_product import ConstantProductState
from engine.wiring.chain_pending import ChainPending

CHAIN: Final = "ethereum"
SIZES: Final = (1, 200)
WARM_UP: Final = 60
CALLS: Final = WARM_UP + 300
UNDO_BLOCKS: Final = 64


class Watch(PendingWatch):
    """What looks at blocks once they are told, as far as the time for it is another's."""

    def looked(self) -> None:
        """Have all blocks looked at: what they were is freed."""
        self._blocks.clear()


class Told:
    """A block as nodes tell it.

    Attributes:
        header: of the block, heard before its events.
        answer: the text that has its events.
        word: what the role says of it; nothing before it was made.
    """

    def __init__(self, header: Header, logs: list[Wire]) -> None:
        self.header = header
        self.answer = msgspec.json.encode({"jsonrpc": "2.0", "id": 1, "result": logs})
        self.word = b""


def looking(role: Following) -> ChainPending:
    """Return what looks at each block before it is told; the rest of what it does comes later."""
    whales: list[Whale] = []
    pending = ChainPending(
        role,
        facts=CHAINS[CHAIN],
        routers=(),
        dexes=(),
        terms=WhaleTerms(),
        on_whale=whales.append,
        now_ns=lambda: AT_NS,
        hears_pending=False,
    )
    node = cast("Node", None)  # nothing is asked before the watch runs
    pending.watch = Watch(
        node,
        pending.desk,
        tell=whales.append,
        now_ns=lambda: AT_NS,
        block_s=12,
        hears_pending=False,
        limits=WatchLimits(blocks_max=1),
    )
    return pending


class Path:
    """Both roles at work on the pairs of a market."""

    def __init__(self, market: LiveMarket) -> None:
        self._rng = random.Random(7)
        self._market = market
        self._start = {number: market.graph.pools[number].state for number in range(POOLS)}
        self._number = FIRST_BLOCK
        terms = BlockTerms(stale_ms=3_600_000, undo_blocks=UNDO_BLOCKS)
        self._engine = MovingPools(market.graph, {CHAIN: terms}, started_at_ns=AT_NS)
        self._role = Following(CHAIN)
        self._role.latest(self._header(0))
        family = UniswapV2()
        self._role.follow((market.graph.pool_terms(number), family) for number in range(POOLS))
        while reads := [one for one in self._role.take()[0] if isinstance(one, AskRead)]:
            for ask in reads:
                known = [market.graph.pool(int(address, 16)) for address in ask.addresses]
                self._role.read(ask, [PoolNow(pool=one.pool, row=one.row) for one in known])
        self._topics = self._role.topics
        pending = looking(self._role)
        self._role.look = pending.look
        assert isinstance(pending.watch, Watch)
        self._watch = pending.watch
        self.hear(self.ready(0))
        self.hear(self.ready(POOLS))  # every pair has moved before, as those of a market have

    def next(self, moves: int) -> Told:
        """Make a block that moves so many pairs, and have its head heard."""
        self._number += 1
        logs = []
        for index, number in enumerate(self._rng.sample(range(POOLS), moves)):
            state = self._start[number]
            assert isinstance(state, ConstantProductState)
            ratio = 1.0 + self._rng.uniform(-1.0, 1.0) * MOVE_RATIO
            reserves = int(state.reserve0_raw * ratio), int(state.reserve1_raw / ratio)
            log = sync_log(number, reserves, block=self._number, index=index)
            logs.append(log | {"address": self._market.graph.pool_terms(number).address})
        header = self._header(bloom_of(map(parse_log, logs)))
        self._role.head(header)  # before its events can be asked for
        # As is done in a running role and engine while nothing waits for it.
        self._watch.looked()
        self._engine.let_go()
        return Told(header, logs)

    def ready(self, moves: int) -> Told:
        """Make a block that the role has taken."""
        return self.role(self.next(moves))

    def role(self, told: Told) -> Told:
        """Take a block's events from the text that has them, up to the word for the engine."""
        asked: list[Asked] = [
            (
                "eth_getLogs",
                (
                    {
                        "blockHash": told.header.ref.hash,
                        "topics": [[hex_bytes(one) for one in sorted(self._topics)]],
                    },
                ),
            )
        ]
        [said] = checks.checked(asked, answers_to(asked, 1, decode(told.answer, asked)))
        assert not isinstance(said, Exception)
        logs = parse_logs(said, told.header, self._topics)
        self._role.logs(AskLogs(told.header), logs, self._topics)
        [word] = self._role.take()[1]
        told.word = msgspec.json.encode(word)
        return told

    def hear(self, told: Told) -> None:
        """Take a block from the word that tells of it, as the engine's loop does, and screen it."""
        block = msgspec.json.decode(told.word, type=ChainWord).block
        assert block is not None
        msgspec.json.encode(block)
        self._engine.take(block, AT_NS)
        self._market.detector.on_pools(self._engine.take_changed(), AT_NS)

    def whole(self, told: Told) -> None:
        """Take a block from the node's text to the screened routes."""
        self.hear(self.role(told))

    @property
    def found(self) -> int:
        """How many routes were found: none, or there is more to do than to look."""
        return self._market.detector.found

    def _header(self, bloom: int) -> Header:
        number = self._number
        ref = BlockRef(
            number=number,
            hash=f"0x{number:064x}",
            parent_hash=f"0x{number - 1:064x}",
            made_at_s=number,
        )
        return Header(ref=ref, bloom=bloom)


def measure_all() -> list[Row]:
    """Measure blocks of a move and of many: in each role, and all the way."""
    path, rows = Path(LiveMarket()), []
    for size in SIZES:
        rows += [
            _measure(f"role.{size} moves", partial(path.next, size), path.role, path.hear),
            _measure(f"engine.{size} moves", partial(path.ready, size), path.hear),
            _measure(f"node's text to screened.{size} moves", partial(path.next, size), path.whole),
        ]
    assert not path.found
    return rows


def _measure(
    name: str,
    make: Callable[[], Told],
    take: Callable[[Told], object],
    then: Callable[[Told], object] = id,
) -> Row:
    """Take blocks one after the other, timed; each is made, and what comes after it done, between.

    All of them made ahead would be millions of objects, which take longer to make than to take.
    """
    told = make()

    def one() -> None:
        take(told)

    def between() -> None:
        nonlocal told
        then(told)
        told = make()

    durations = time_calls([one] * CALLS, between=between)[WARM_UP:]
    take(told)  # the last one that was made: the next figure's blocks stand on it
    then(told)
    return row(f"chains.path.{name}", durations)


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
