"""Whatever nodes say, in whatever order: the engine has what the chain has, or does without it."""

import random
from collections.abc import Sequence

import pytest

from engine.chains.following.asks import (
    Ask,
    AskHeader,
    AskLatest,
    AskLogs,
    AskRead,
    AskSpan,
    AskTerms,
)
from engine.chains.following.counts import Count
from engine.chains.following.machine import Following, Rhythm
from engine.chains.ports import PoolNow, Unreadable
from engine.domain.chains import BlockTerms
from engine.domain.faults import Fault
from engine.domain.pools import PoolId
from engine.pools.blocks import ChainWord
from engine.pools.moves import row_now
from tests.chains.following.made_up import CHAIN, FAMILY, MadeBlock, MadeUpChain
from tests.reference.world import Setup, World, make_instrument

UNDO = 6
RHYTHM = Rhythm(undo_blocks=UNDO, read_pools=3, reads=2, polled_blocks=5, checked_blocks=9)


class Engine:
    """What the engine makes of a stream; its books and routes are of no matter here."""

    def __init__(self, undo_blocks: int = UNDO) -> None:
        terms = BlockTerms(stale_ms=10**9, undo_blocks=undo_blocks)
        setup = Setup(instruments=[make_instrument("a", "ETH-USD")], chains={CHAIN: terms})
        self.world = World(setup)

    def hear(self, words: Sequence[ChainWord]) -> None:
        """As `BlockStream` hands them on."""
        pools, at_ns = self.world.pools, self.world.now_ns
        for word in words:
            for address in word.removed:
                self._after(has_rows=pools.remove(PoolId(chain=CHAIN, address=address), at_ns))
            for snapshot in word.pools:
                self._after(has_rows=pools.add(snapshot, at_ns))
            if word.block is not None:
                self.world.take(word.block)

    def lose(self) -> None:
        self.world.pools.lose(CHAIN, Fault.DISCONNECTED, self.world.now_ns)
        self._after(has_rows=False)

    def _after(self, *, has_rows: bool) -> None:
        if has_rows:
            self.world.pipeline.pools_changed(self.world.now_ns)
        self.world.pipeline.after_block(self.world.now_ns)

    @property
    def newest(self) -> str | None:
        newest = self.world.moving._chains[CHAIN].blocks.newest
        return None if newest is None else newest.hash

    def check(self, chain: MadeUpChain) -> int:
        """Compare all pools that are known with the chain at the newest block; return how many."""
        moving, graph = self.world.moving, self.world.graph
        known = [n for n in moving.numbers.values() if n in graph.pools and n not in moving.reasons]
        if not known:
            return 0
        assert self.newest is not None
        block = chain.blocks[self.newest]
        for number in known:
            held = graph.pools[number]
            wanted = block.states[held.pool.address]
            assert row_now(held.row, held.state) == wanted.now, block.ref
        return len(known)


class Talk:
    """Nodes of different sights, and the machine that hears them: what is told is told at random.

    Attributes:
        heads: where each node thinks the chain ends.
    """

    def __init__(self, seed: int, *, pools: int = 7) -> None:
        self.rng = random.Random(f"talk {seed}")
        self.chain = MadeUpChain(seed, pools=pools)
        self.heads: list[MadeBlock] = [self.chain.head, self.chain.head]
        self.machine = Following(CHAIN, RHYTHM)
        self.engine = Engine()
        self.told: list[MadeBlock] = []
        self.asks: list[Ask] = []
        self.addresses = list(self.chain.head.states)
        self.known = 0
        self.checked = 0
        self.is_hearing = False

    def follow(self, *addresses: str) -> None:
        states = self.chain.head.states
        self.machine.follow([(states[one].pool, FAMILY) for one in addresses])
        self.hear()

    def step(self, *, is_rough: bool = True) -> None:
        rng = self.rng
        chance = rng.random()
        if chance < 0.25:
            self.mine()
        elif chance < 0.5 and self.told:
            self.machine.head(self.told.pop(rng.randrange(len(self.told))).header)
        elif chance < 0.85 and self.asks:
            ask = self.asks.pop(rng.randrange(len(self.asks)))
            if is_rough and rng.random() < 0.1:
                self.machine.failed(ask, "away", is_lie=rng.random() < 0.3)
            else:
                self.answer(ask)
        elif chance < 0.9:
            self.machine.advance()
        elif chance < 0.92:
            self.machine.ask_latest()
        elif chance < 0.94 and is_rough:
            self.machine.forget(rng.choice(self.addresses))
        elif chance < 0.97 and is_rough:
            self.follow(rng.choice(self.addresses))
        elif chance < 0.975 and is_rough:
            self.is_hearing = False
        self.hear()

    def mine(self) -> None:
        """A node has a new block, perhaps on another branch; it is told, perhaps not, or twice."""
        rng = self.rng
        node = rng.randrange(2)
        self.chain.head = self.heads[node]
        if rng.random() < 0.12:
            self.heads[node] = self.chain.mine(self.chain.back(rng.choice((1, 1, 2, 3, 5, 9))))
        elif rng.random() < 0.5:
            self.heads[node] = self.heads[1 - node]
        else:
            self.heads[node] = self.chain.mine()
        self.told += [self.heads[node]] * rng.choice((0, 1, 1, 1, 2))
        while len(self.told) > 12:
            self.told.pop(0)

    def answer(self, ask: Ask) -> None:
        machine, blocks = self.machine, self.chain.blocks
        head = self.rng.choice(self.heads)
        if isinstance(ask, AskLatest):
            machine.latest(head.header)
        elif isinstance(ask, AskHeader):
            found = blocks.get(ask.hash)
            machine.headers(ask, [] if found is None else [found.header])
        elif isinstance(ask, AskSpan):
            line = self.chain.line(head)
            numbers = range(ask.first, ask.last + 1)
            machine.headers(ask, [line[one].header for one in numbers if one in line])
        elif isinstance(ask, AskLogs):
            machine.logs(ask, blocks[ask.of.ref.hash].logs, machine.topics)
        elif isinstance(ask, AskTerms):
            states = blocks[ask.at.hash].states
            machine.terms(ask, [states[one].pool for one in ask.addresses])
        else:
            machine.read(ask, [self.pool_at(ask, one) for one in ask.addresses])

    def pool_at(self, ask: AskRead, address: str) -> PoolNow | Unreadable:
        if self.rng.random() < 0.05:
            return Unreadable(why="it reverts")
        state = self.chain.blocks[ask.at.hash].states[address]
        return PoolNow(pool=state.pool, row=state.now)

    def hear(self) -> None:
        asks, words = self.machine.take()
        self.asks += asks
        if not self.is_hearing:
            self.engine.lose()
            words = list(self.machine.whole())
            self.is_hearing = bool(words)
            self.known = 0
        for word in words:
            if word.block is not None:
                if self.known and self.known <= word.block.undone <= UNDO:
                    self.is_hearing = False  # it cannot undo so many: it begins anew
                    return
                self.known += 1
            self.engine.hear([word])
        self.checked += self.engine.check(self.chain)

    def settle(self) -> None:
        """Both nodes agree and answer, until the machine wants nothing more."""
        self.heads[1] = self.heads[0]
        for _ in range(400):
            if not self.is_hearing:
                self.hear()
            if not self.asks:
                if self.is_settled():
                    return
                self.chain.head = self.heads[0]
                self.heads = [self.chain.mine()] * 2
                self.machine.head(self.heads[0].header)
                self.machine.ask_latest()
            else:
                self.answer(self.asks.pop(0))
            self.hear()
        raise AssertionError("it does not come to rest")

    def is_settled(self) -> bool:
        live = [one for one in self.machine.pools.of.values() if one.held is not None]
        return (
            self.engine.newest == self.heads[0].ref.hash
            and len(live) == len(self.machine.pools.of)
            and self.engine.check(self.chain) == len(live)
        )


@pytest.mark.parametrize("seed", range(12))
def test_every_pool_is_as_its_block_has_it_or_is_not_known(seed: int) -> None:
    talk = Talk(seed)
    talk.follow(*talk.addresses[:5])

    for _ in range(700):
        talk.step()

    assert talk.checked > 500
    talk.settle()


def test_the_campaign_meets_what_it_is_about() -> None:
    counts = sum((run_of(seed).machine.counts for seed in range(4)), start=Following("x").counts)

    for kind in Count:
        if kind not in {Count.TOO_FAR, Count.GIVEN_UP, Count.DIVERGED, Count.UNTOLD}:
            assert counts[kind], kind


def run_of(seed: int) -> Talk:
    talk = Talk(seed)
    talk.follow(*talk.addresses[:5])
    for _ in range(1_500):
        talk.step()
    return talk
