"""State by logs, state by reading and the node's own quotes, for the same pools at one block."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Protocol, Self

from msgspec import structs

from engine.chains.ports import BlockRef, Family, Log, PoolNow, ReadAgain, Reader
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.parsing import parse_block
from engine.chains.rpc.pool import open_pool
from engine.chains.rpc.reader import ChainReader
from engine.connectors.outbound import open_outbound
from engine.detect.sizing.exact import leg_of
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import PoolMoved
from engine.pools.concentrated import ConcentratedState
from engine.pools.moves import moved, row_now
from engine.pools.snapshot_rows import AnyRow, ConcentratedRow, PoolState
from tests.chains.local_world import LocalWorld


class Stage(Protocol):
    """Pools of a make on a node, what can be done to them, and what the node says of a swap."""

    @property
    def family(self) -> Family: ...

    @property
    def pools(self) -> Sequence[Pool]: ...

    def act(self, random: Random) -> None:
        """Do something random to one of them, in a block."""
        ...

    def quote(self, pool: Pool, amount_raw: int, *, token_in: int, token_out: int) -> int | None:
        """Return what the node says that a swap gives, None if it cannot be."""
        ...

    def size(self, pool: Pool, token: int, random: Random) -> int:
        """Return a random amount of a token."""
        ...


class Followed:
    """A pool as its logs have led it.

    Attributes:
        moves, readings: how many of each there were.
        trouble: an event that no pool can have had, which one has that its contract halts for ever
            or whose price leaves the ticks that were read.
    """

    def __init__(self, now: PoolNow) -> None:
        self.pool, self.row = now.pool, now.row
        self.state: PoolState = now.row.state(now.pool)
        self.moves = self.readings = 0
        self.trouble: BadValueError | None = None

    def take(self, family: Family, log: Log) -> bool:
        """Take an event; say whether the pool has to be read again."""
        try:
            change = family.change_of(self.pool, log)
            if isinstance(change, PoolMoved):
                self.row, self.state = moved(self.pool, self.row, self.state, change.move)
                self.moves += 1
        except BadValueError as error:
            self.trouble = error
            return True
        return isinstance(change, ReadAgain)

    def now(self) -> PoolNow:
        return PoolNow(pool=self.pool, row=row_now(self.row, self.state))


@asynccontextmanager
async def reader_of(world: LocalWorld) -> AsyncIterator[Reader]:
    """Open a reader of a world's node."""
    async with open_outbound(None) as way:
        access = Access(name="one", http_url=world.world.http_url)
        async with open_pool([access], way) as pool:
            yield ChainReader(pool)


def head_of(world: LocalWorld) -> BlockRef:
    return parse_block(world.head())


class Watch(AsyncExitStack):
    """Follows a stage's pools."""

    def __init__(self, world: LocalWorld, stage: Stage) -> None:
        super().__init__()
        self.world, self.stage = world, stage
        self.followed: dict[str, Followed] = {}
        self.reader: Reader
        self.at: BlockRef

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        self.reader = await self.enter_async_context(reader_of(self.world))
        self.at = self.head()
        for now in await self.read():
            self.followed[now.pool.address] = Followed(now)
        return self

    def head(self) -> BlockRef:
        return head_of(self.world)

    async def read(self) -> list[PoolNow]:
        """Read all pools at the newest block that was followed to.

        One that is unreadable is out from then on, and no swap of any size goes through it.
        """
        pools = [one.pool for one in self.followed.values()] or list(self.stage.pools)
        read = await self.stage.family.read(pools, self.reader, self.at)
        alive = []
        for pool, now in zip(pools, read, strict=True):
            if isinstance(now, PoolNow):
                alive.append(now)
                continue
            assert self.followed.pop(pool.address, None), (pool, now)
            for amount_raw in (10**6, 10**9, 10**18):
                quoted = self.stage.quote(pool, amount_raw, token_in=0, token_out=1)
                assert quoted is None, (pool, now, quoted)
        return alive

    async def follow(self) -> int:
        """Follow the events up to the newest block; return how many there were."""
        before, self.at = self.at, self.head()
        family = self.stage.family
        logs = await self.reader.logs(
            before.number + 1, self.at.number, topics=sorted(family.topics)
        )
        stale = set()
        for log in logs:
            found = self.followed.get(family.address_of(log))
            if found is not None and found.pool.address not in stale and found.take(family, log):
                stale.add(found.pool.address)
        for now in await self.read() if stale else ():
            if now.pool.address in stale:
                fresh, trouble = Followed(now), self.followed[now.pool.address].trouble
                is_narrow = isinstance(fresh.state, ConcentratedState) and (
                    not fresh.state.table.is_whole
                )
                assert trouble is None or is_narrow, trouble
                fresh.moves = self.followed[now.pool.address].moves
                fresh.readings = self.followed[now.pool.address].readings + 1
                self.followed[now.pool.address] = fresh
        return len(logs)

    async def check(self) -> None:
        """Check that each pool is as it is read."""
        for now in await self.read():
            by_logs = self.followed[now.pool.address]
            assert (by_logs.pool, common(by_logs.now().row, now.row)) == (
                now.pool,
                common(now.row, by_logs.now().row),
            )

    def quotes(self, random: Random, count: int) -> int:
        """Check quotes of random sizes against the node's; return how many it gave."""
        given = 0
        for _ in range(count):
            pool = random.choice([one for one in self.stage.pools if one.address in self.followed])
            token_in, token_out = random.sample(range(len(pool.tokens)), 2)
            amount_raw = self.stage.size(pool, token_in, random)
            said = self.stage.quote(pool, amount_raw, token_in=token_in, token_out=token_out)
            state = self.followed[pool.address].state
            leg = leg_of(state, token_in=token_in, token_out=token_out)
            try:
                ours: int | None = leg.amount_out(amount_raw)
            except BadValueError:
                ours = None
            if ours is None and isinstance(state, ConcentratedState) and not state.table.is_whole:
                continue  # it may lead to where nobody looked
            # A node refuses some swaps that give nothing, where ours says 0.
            assert (ours or None) == (said or None), (ours, said, pool, amount_raw, token_in)
            given += said is not None
        return given


def common(row: AnyRow, other: AnyRow) -> AnyRow:
    """Return a row with the ticks alone that both know: a narrow pool is read about its price."""
    if not (isinstance(row, ConcentratedRow) and isinstance(other, ConcentratedRow)):
        return row
    low, high = max(row.known_min, other.known_min), min(row.known_max, other.known_max)
    both = [
        (tick, gross)
        for tick, gross in zip(row.ticks, row.grosses, strict=True)
        if low <= tick[0] <= high
    ]
    return structs.replace(
        row,
        known_min=low,
        known_max=high,
        ticks=tuple(tick for tick, _ in both),
        grosses=tuple(gross for _, gross in both),
    )
