"""Reads what factories told of new pools, span by span of blocks, and goes on where it was.

A span counts only if its last block was the same before and after it was read, and the block that
it goes on from was of the chain still: then all that was told is of one branch. A branch that is
left takes with it what it told.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from engine.chains.discovery.addresses import derived_address
from engine.chains.discovery.announcements import ANNOUNCED, found_in
from engine.chains.discovery.found import FoundPool, PoolRefusal, PoolRefusedError
from engine.chains.discovery.log_span import LogSpan
from engine.chains.discovery.pool_cache import PoolCache, Scanned, key_of
from engine.chains.discovery.span_read import COUNTS, SpanRead, is_same
from engine.chains.families.words import WORD, unsigned
from engine.chains.ports import BlockRef, Call, Log, Node, NodeError, Reader, Refusal
from engine.chains.rpc.parsing import hex_number, parse_block
from engine.domain.dexes import Dex
from engine.domain.errors import BadValueError

BRANCH_TRIES: Final = 5
"""A span whose last block changes under it so often in a row is left for later."""

GAP_TRIES: Final = 3
"""So often blocks are asked again in shorter spans, if a factory's count of its pools says that
some were left out: there are providers that cut long answers without a word."""

ODD_TRIES: Final = 2
"""So often blocks are asked again in which a factory seems to tell what none of its make can."""

LOGS_AT_ONCE: Final = 100
"""Decoded without a pause: some milliseconds."""


class ScanProgress(NamedTuple):
    """How far the reading is, from block to block."""

    block: int
    last: int
    pools: int


class FactoryScan:
    """Finds the pools of a chain's DEXs.

    Attributes:
        refused: how many pools were told and not taken over, by reason, since the start.
        missing: how many pools a factory has made by its own count and did not tell, by its name.

    Args:
        node: of the chain.
        reader: of the same chain.
        dexes: whose factories are read.
        cache: keeps what was found.
        log_span: of so many blocks logs are asked at first.
        told: is told of the progress after each span.
    """

    def __init__(
        self,
        *,
        node: Node,
        reader: Reader,
        dexes: Sequence[Dex],
        cache: PoolCache,
        log_span: int,
        told: Callable[[ScanProgress], None] = lambda _: None,
    ) -> None:
        self.refused: Counter[PoolRefusal] = Counter()
        self.missing: Counter[str] = Counter()
        self._node = node
        self._reader = reader
        self._dexes = _one_per_factory(dexes)
        self._cache = cache
        self._span = LogSpan(log_span)
        self._told = told
        self._asked_again: dict[str, tuple[int, int]] = {}
        self._odd = (-1, 0)
        self._counts_left = GAP_TRIES

    async def catch_up(self, last: int) -> int:
        """Read on up to a block, and return how many new pools were found.

        Raises:
            NodeError: a node does not answer; what was read until then is kept.
        """
        if not self._cache.ends():
            await self._begin()
        await self._leave_dead_branch(last)
        found = changed = 0
        while behind := self._behind(last) or await self._uncounted(last):
            told = await self._read_span(behind, last)
            if told is not None:
                found, changed = found + told, 0
                continue
            changed += 1
            if changed == BRANCH_TRIES:
                raise NodeError(Refusal.LIED, f"its blocks before {last} are others each time")
            await self._leave_dead_branch(last)
        return found

    def _behind(self, last: int) -> dict[str, Scanned]:
        known = self._cache.scanned()
        scanned = {
            key: known.get(key, Scanned(dex.first_block - 1, 0)) for key, dex in self._dexes.items()
        }
        return {key: done for key, done in scanned.items() if done.number < last}

    async def _read_span(self, behind: Mapping[str, Scanned], last: int) -> int | None:
        """Read one span, of the factories that are farthest behind; None if its branch was left."""
        after = min(done.number for done in behind.values())
        now = {key: done for key, done in behind.items() if done.number == after}
        others = [done.number for done in behind.values() if done.number > after]
        end = min([after + self._span.blocks, last, *others])
        try:
            logs, block = await self._logs(after + 1, end, now)
        except NodeError as error:
            if error.refusal is not Refusal.TOO_MANY or not self._span.refused():
                raise
            return 0
        if block is None:
            return None
        read = await self._decoded(logs, now)
        if read.gaps and (self._is_late(read, now) or self._asks_again(read)):
            return 0
        if self._is_odd(read, after):
            return 0
        self._span.given()
        return self._keep(read, now, block, last)

    async def _logs(
        self, first: int, end: int, now: Mapping[str, Scanned]
    ) -> tuple[list[Log], BlockRef | None]:
        before = await self._block(end)
        dexes = [self._dexes[key] for key in now]
        logs = await self._reader.logs(
            first,
            end,
            topics=sorted({ANNOUNCED[dex.protocol].topic for dex in dexes}),
            addresses=sorted({dex.factory for dex in dexes}),
        )
        after = await self._block(end)
        is_of_branch = before.hash == after.hash and all(
            log.block_hash == after.hash for log in logs if log.block_number == end
        )
        return logs, after if is_of_branch and await self._stands(first) else None

    async def _stands(self, first: int) -> bool:
        """Say whether the newest block that was read before this one is of the chain still."""
        for number, block_hash in self._cache.ends():
            if number < first:
                return await self._hash_of(number) == block_hash
        return True

    async def _decoded(self, logs: Sequence[Log], now: Mapping[str, Scanned]) -> SpanRead:
        by_event = {
            (dex.factory, ANNOUNCED[dex.protocol].topic): (key, dex)
            for key in now
            for dex in (self._dexes[key],)
        }
        read = SpanRead([], Counter(), {key: done.serial for key, done in now.items()}, {})
        told: dict[str, FoundPool] = {}
        for index, log in enumerate(logs):
            if index % LOGS_AT_ONCE == LOGS_AT_ONCE - 1:
                await asyncio.sleep(0)
            key, dex = by_event.get((log.address, log.topics[0] if log.topics else b""), ("", None))
            if dex is None:  # another factory's event at this address
                continue
            try:
                pool = found_in(dex, log)
                read.take_serial(key, pool.serial)
                self._check(pool, told)
            except PoolRefusedError as error:
                read.refused[error.refusal] += 1
            else:
                if pool.address not in told:
                    read.pools.append(pool)
                told[pool.address] = pool
        self._drop_known(read)
        return read

    def _check(self, pool: FoundPool, told: Mapping[str, FoundPool]) -> None:
        derived = derived_address(pool)
        if derived and derived != pool.address:
            raise PoolRefusedError(PoolRefusal.ELSEWHERE, f"{pool.address} instead of {derived}")
        other = told.get(pool.address)
        if other is not None and not is_same(other, pool):
            raise PoolRefusedError(PoolRefusal.TWICE, pool.address)

    def _drop_known(self, read: SpanRead) -> None:
        known = self._cache.among(pool.address for pool in read.pools)
        for pool in read.pools:
            other = known.get(pool.address)
            if other is not None and not is_same(other, pool):
                read.refused[PoolRefusal.TWICE] += 1
        read.pools[:] = [pool for pool in read.pools if pool.address not in known]

    def _is_late(self, read: SpanRead, now: Mapping[str, Scanned]) -> bool:
        """Begin factories again whose first pool that was told is not their first one."""
        late = [
            key
            for key in read.gaps
            if now[key].serial == 0 and now[key].number == self._dexes[key].first_block - 1 >= 0
        ]
        for key in late:
            self._cache.begin_again(self._dexes[key])
        return bool(late)

    def _asks_again(self, read: SpanRead) -> bool:
        """Go back to before the pools that were left out, if they were not asked for too often.

        They may have been in an earlier span, at whose end nobody could know of them.
        """
        is_asked = False
        for key, gap in read.gaps.items():
            before, times = self._asked_again.get(key, (0, 0))
            times = times + 1 if before == gap.before else 1
            self._asked_again[key] = gap.before, times
            if times <= GAP_TRIES:
                self._cache.step_back(self._dexes[key])
                is_asked = True
        if is_asked:
            self._span.refused()
            self._span.refused()
        return is_asked

    def _is_odd(self, read: SpanRead, after: int) -> bool:
        """Say whether to ask again: a factory of the table does not tell nonsense, a node may."""
        if not read.is_odd:
            return False
        times = self._odd[1] + 1 if self._odd[0] == after else 1
        self._odd = after, times
        return times <= ODD_TRIES

    async def _uncounted(self, last: int) -> dict[str, Scanned]:
        """Have factories that say more pools than they told read again, a few times at the start.

        The newest pools could be missing without any gap.
        """
        if not self._counts_left:
            return {}
        self._counts_left -= 1
        known = self._cache.scanned()
        counted = [
            (key, dex)
            for key, dex in self._dexes.items()
            if ANNOUNCED[dex.protocol] in COUNTS and key in known
        ]
        calls = [Call(dex.factory, COUNTS[ANNOUNCED[dex.protocol]]) for _, dex in counted]
        answers = await self._reader.call(calls, await self._block(last))
        is_missing = False
        for (key, dex), answer in zip(counted, answers, strict=True):
            if answer is None or len(answer) != WORD or known[key].serial < 0:
                continue
            missing = unsigned(answer, 0) - known[key].serial
            if missing > 0 and self._counts_left:
                self._cache.step_back(dex)
                is_missing = True
            elif missing > 0:
                self.missing[dex.name] += missing
        if not is_missing:
            self._counts_left = 0
        return self._behind(last)

    def _keep(self, read: SpanRead, now: Mapping[str, Scanned], block: BlockRef, last: int) -> int:
        for key, gap in read.gaps.items():
            self.missing[self._dexes[key].name] += gap.missing
        scanned = {key: Scanned(block.number, read.serials[key]) for key in now}
        beyond = self._cache.add(read.pools, read.refused, scanned, (block.number, block.hash))
        self.refused.update(read.refused)
        if beyond:
            self.refused[PoolRefusal.FULL] += beyond
        self._told(ScanProgress(block.number, last, self._cache.count()))
        return len(read.pools) - beyond

    async def _begin(self) -> None:
        """Keep which chain it is: the hash of its first block."""
        genesis = await self._block(0)
        self._cache.add([], {}, {}, (0, genesis.hash))

    async def _leave_dead_branch(self, last: int) -> None:
        """Go back to the newest block that was read and still is of the chain.

        What lies beyond the last block cannot be compared: the node may only be behind.
        """
        ends = [end for end in self._cache.ends() if end[0] <= last]
        for number, block_hash in ends:
            if await self._hash_of(number) == block_hash:
                if number != ends[0][0]:
                    self._cache.go_back(number)
                return
        self._cache.go_back(-1)
        await self._begin()

    async def _block(self, number: int) -> BlockRef:
        block = await self._known_block(number)
        if block is None:
            raise NodeError(Refusal.REFUSED, f"there is no block {number} yet")
        return block

    async def _hash_of(self, number: int) -> str:
        block = await self._known_block(number)
        return "" if block is None else block.hash

    async def _known_block(self, number: int) -> BlockRef | None:
        said = await self._node.request("eth_getBlockByNumber", hex_number(number), False)
        if said is None:
            return None
        try:
            block = parse_block(said)
        except BadValueError as error:
            raise NodeError(Refusal.LIED, str(error)) from error
        if block.number != number:
            raise NodeError(Refusal.LIED, f"block {block.number} in place of {number}")
        return block


def _one_per_factory(dexes: Sequence[Dex]) -> dict[str, Dex]:
    """Name each factory once: Balancer's vault tells of pools of two makes by the same event."""
    named: dict[tuple[str, bytes], Dex] = {}
    for dex in dexes:
        if dex.protocol in ANNOUNCED:
            named.setdefault((dex.factory, ANNOUNCED[dex.protocol].topic), dex)
    return {key_of(dex): dex for dex in named.values()}
