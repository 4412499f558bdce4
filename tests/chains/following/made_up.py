"""A made-up chain as a tree of blocks with the states of its pools at each, and a family for it."""

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import isqrt

import msgspec

from engine.chains.following.blooms import bloom_of
from engine.chains.following.headers import Header
from engine.chains.ports import (
    BlockRef,
    Family,
    Log,
    PoolNow,
    ReadAgain,
    Reader,
    Unreadable,
)
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.blocks import PoolChange, PoolMoved
from engine.pools.concentrated import ConcentratedState
from engine.pools.moves import Move, PairMove, PositionMove, moved, row_now
from engine.pools.snapshot_rows import AnyRow, ConcentratedRow, PairRow, PoolState
from engine.pools.snapshots import PoolSnapshot, state_of
from engine.pools.tick_math import Q96
from engine.sandbox.chain import _price_to

CHAIN = "ethereum"
MOVED = hashlib.sha256(b"moved").digest()
TOUCHED = hashlib.sha256(b"touched").digest()
"""Of an event that changes a pool and does not say how."""
FEE_SET = Decimal("0.003")
SPACING = 60


@dataclass(frozen=True)
class State:
    """A pool as of a block."""

    pool: Pool
    row: AnyRow
    state: PoolState
    positions: tuple[tuple[int, int, int], ...] = ()

    @property
    def now(self) -> AnyRow:
        return row_now(self.row, self.state)


@dataclass(frozen=True)
class MadeBlock:
    header: Header
    logs: tuple[Log, ...]
    states: dict[str, State]

    @property
    def ref(self) -> BlockRef:
        return self.header.ref


class MadeUpFamily:
    """Events carry the move as text; `change_of` refuses what is none."""

    topics = frozenset({MOVED, TOUCHED})
    is_polled = True

    def address_of(self, log: Log) -> str:
        if not log.data:
            raise BadValueError("an event of nothing")
        return log.address

    def change_of(self, pool: Pool, log: Log) -> PoolChange | ReadAgain | None:
        if log.topics[0] == TOUCHED:
            return ReadAgain(why="touched")
        try:
            move = msgspec.json.decode(log.data, type=Move)
        except msgspec.MsgspecError as error:
            raise BadValueError(str(error)) from error
        return PoolMoved(address=pool.address, move=move)

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        raise NotImplementedError

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        raise NotImplementedError


FAMILY: Family = MadeUpFamily()


def address_of(number: int) -> str:
    return f"0x{number:040x}"


def make_pool(number: int, protocol: Protocol, fee: Decimal = FEE_SET) -> Pool:
    return Pool(
        chain=CHAIN,
        protocol=protocol,
        address=address_of(number),
        tokens=((AssetCode("ETH"), 18), (AssetCode("USD"), 6)),
        fee_ratio=fee,
        gas_units=90_000,
    )


def make_state(number: int) -> State:
    """Every third one has ticks, the others are pairs."""
    if number % 3:
        pool = make_pool(number, Protocol.UNISWAP_V2)
        row: AnyRow = PairRow(reserve0_raw=str(10**21), reserve1_raw=str(2 * 10**12))
    else:
        pool = make_pool(number, Protocol.UNISWAP_V3)
        liquidity = str(10**18)
        low, high = -SPACING * 400, SPACING * 400
        row = ConcentratedRow(
            sqrt_price_x96=str(Q96),
            tick=0,
            liquidity=liquidity,
            tick_spacing=SPACING,
            ticks=((low, liquidity), (high, f"-{liquidity}")),
            grosses=(liquidity, liquidity),
        )
    return State(pool, row, state_of(PoolSnapshot(pool=pool, row=row)))


class MadeUpChain:
    """A tree of blocks.

    Attributes:
        blocks: all that were ever made, by hash.
        head: the newest one of the branch that the chain is now.
    """

    def __init__(self, seed: int, *, pools: int, number: int = 100) -> None:
        self.rng = random.Random(seed)
        self._made = 0
        states = {address_of(n): make_state(n) for n in range(1, pools + 1)}
        first = self._make(None, (), states, number)
        self.blocks = {first.ref.hash: first}
        self.head = first

    def mine(self, on: MadeBlock | None = None) -> MadeBlock:
        """Make a block, on the head if nothing is said; it is the head from then on."""
        parent = on or self.head
        states = dict(parent.states)
        made: list[tuple[str, bytes, bytes]] = []
        for _ in range(self.rng.choice((0, 1, 3, 8))):
            address = self.rng.choice(list(states))
            topic, data, states[address] = self._change(states[address])
            if topic:
                made.append((address, topic, data))
        block = self._make(parent.ref, made, states, parent.ref.number + 1)
        self.blocks[block.ref.hash] = block
        self.head = block
        return block

    def mine_with(self, parent: MadeBlock, events: Sequence[tuple[str, bytes, bytes]]) -> MadeBlock:
        """Make a block with just these events; those that tell nothing change a pair at random."""
        states = dict(parent.states)
        for address, _, data in events:
            state = states[address]
            try:
                move: Move = msgspec.json.decode(data, type=Move)
            except msgspec.MsgspecError:
                move = PairMove(
                    reserve0_raw=self.rng.randrange(10**20, 10**22), reserve1_raw=10**12
                )
            row, after = moved(state.pool, state.row, state.state, move)
            states[address] = State(state.pool, row, after)
        block = self._make(parent.ref, events, states, parent.ref.number + 1)
        self.blocks[block.ref.hash] = block
        self.head = block
        return block

    def set_fee(self, address: str, bps: int) -> None:
        """Have another fee from the next block on."""
        state = self.head.states[address]
        fee = Decimal(bps) / 10_000
        pool = make_pool(int(address, 16), state.pool.protocol, fee)
        made = state_of(PoolSnapshot(pool=pool, row=state.now))
        self.head.states[address] = State(pool, state.now, made)

    def move_untold(self, address: str) -> None:
        """Have other reserves from the next block on, of which no event tells."""
        state = self.head.states[address]
        row = PairRow(reserve0_raw=str(10**20), reserve1_raw=str(10**12))
        made = state_of(PoolSnapshot(pool=state.pool, row=row))
        self.head.states[address] = State(state.pool, row, made)

    def back(self, depth: int) -> MadeBlock:
        """Return the block on which so many of the chain stand, or the first one."""
        block = self.head
        for _ in range(depth):
            parent = self.blocks.get(block.ref.parent_hash)
            if parent is None:
                break
            block = parent
        return block

    def line(self, head: MadeBlock) -> dict[int, MadeBlock]:
        """Return a branch by its numbers."""
        found = {}
        one: MadeBlock | None = head
        while one is not None:
            found[one.ref.number] = one
            one = self.blocks.get(one.ref.parent_hash)
        return found

    def _change(self, state: State) -> tuple[bytes, bytes, State]:
        chance = self.rng.random()
        if chance < 0.03:  # a fee that no event tells
            fee = Decimal(self.rng.randrange(1, 50)) / 10_000
            pool = make_pool(int(state.pool.address, 16), state.pool.protocol, fee)
            row = state.now
            return (
                b"",
                b"",
                State(pool, row, state_of(PoolSnapshot(pool=pool, row=row)), state.positions),
            )
        move, positions = self._move(state)
        row, after = moved(state.pool, state.row, state.state, move)
        changed = State(state.pool, row, after, positions)
        if chance < 0.1:
            return TOUCHED, b"?", changed
        if chance < 0.13:  # what it says cannot be read
            return MOVED, b"\xff", changed
        return MOVED, msgspec.json.encode(move), changed

    def _move(self, state: State) -> tuple[Move, tuple[tuple[int, int, int], ...]]:
        rng = self.rng
        now = state.state
        if not isinstance(now, ConcentratedState):
            pair = PairMove(
                reserve0_raw=rng.randrange(10**20, 10**22),
                reserve1_raw=rng.randrange(10**11, 10**13),
            )
            return pair, state.positions
        if rng.random() < 0.5:
            price = _price_to(now, isqrt(int(rng.uniform(0.9, 1.1) * Q96)) * isqrt(Q96))
            if price is not None:
                return price, state.positions
        if state.positions and rng.random() < 0.5:
            low, high, liquidity = gone = rng.choice(state.positions)
            left = tuple(one for one in state.positions if one is not gone)
            return PositionMove(tick_low=low, tick_high=high, liquidity_delta=-liquidity), left
        low = (now.tick // SPACING - rng.randrange(1, 20)) * SPACING
        high = (now.tick // SPACING + rng.randrange(1, 20)) * SPACING
        liquidity = rng.randrange(1, 10**17)
        move = PositionMove(tick_low=low, tick_high=high, liquidity_delta=liquidity)
        return move, (*state.positions, (low, high, liquidity))

    def _make(
        self,
        parent: BlockRef | None,
        made: Sequence[tuple[str, bytes, bytes]],
        states: dict[str, State],
        number: int,
    ) -> MadeBlock:
        self._made += 1
        text = "0x" + hashlib.sha256(f"{self._made}".encode()).hexdigest()
        ref = BlockRef(
            number=number,
            hash=text,
            parent_hash="0x" + "0" * 64 if parent is None else parent.hash,
            made_at_s=number * 12,
        )
        logs = tuple(
            Log(
                address=address,
                topics=(topic,),
                data=data,
                block_number=number,
                block_hash=text,
                tx_hash="0x" + "1" * 64,
                index=index,
            )
            for index, (address, topic, data) in enumerate(made)
        )
        return MadeBlock(Header(ref=ref, bloom=bloom_of(logs)), logs, states)
