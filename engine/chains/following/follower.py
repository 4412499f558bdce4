"""Follows a chain at its nodes: carries out what the machine asks, with deadlines."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar, cast

from cachetools import FIFOCache

from engine.chains.following.asks import (
    Ask,
    AskHeader,
    AskLatest,
    AskLogs,
    AskRead,
    AskSpan,
    AskTerms,
)
from engine.chains.following.headers import (
    Header,
    is_suspect,
    parse_header,
    parse_logs,
    parse_whole,
)
from engine.chains.following.machine import Following
from engine.chains.ports import (
    BlockRef,
    Family,
    Json,
    Node,
    NodeError,
    PoolNow,
    ReadAgain,
    Reader,
    Refusal,
    Topic,
    Unreadable,
)
from engine.chains.rpc.messages import Asked
from engine.chains.rpc.parsing import hex_bytes, hex_number
from engine.domain.backoff import Backoff
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.domain.recovery import CHAIN_READS, HEADS_RECONNECT
from engine.pools.blocks import ChainWord

log = logging.getLogger(__name__)

_Found = TypeVar("_Found")

ASK_S: Final = 6.0
READ_S: Final = 20.0
QUIET_S_MIN: Final = 0.5
QUIET_S_MAX: Final = 4.0
BACKOFF_S_MIN: Final = 0.05
BACKOFF_S_MAX: Final = 5.0
LAGS_KEPT: Final = 512
HEARD_MAX: Final = 64


class Follower:
    """Keeps the blocks of one chain coming until cancelled.

    Attributes:
        machine: what it has made of what nodes said.
        trouble: what the last failure was; empty once something succeeds.
        lags_s: of the last blocks, from when their heads were heard until they were told.

    Args:
        tell: takes each word for the engine, in order.
        block_ms: time between two blocks; without a head for twice as long the node is asked.
        has_bloom: whether headers carry a filter of their events.
        note: is shown each header: its hash, all that was said, and whether it was told unasked.
        confirms_heads: whether a head is one node's word, and several can be asked for its block.
    """

    def __init__(
        self,
        machine: Following,
        node: Node,
        reader: Reader,
        *,
        tell: Callable[[ChainWord], None],
        block_ms: int,
        has_bloom: bool = True,
        note: Callable[[str, Json, bool], None] | None = None,
        confirms_heads: bool = False,
    ) -> None:
        self.machine = machine
        self.trouble = "no node has answered yet"
        self._node = node
        self._reader = reader
        self._tell = tell
        self._has_bloom = has_bloom
        self._note = note
        self._confirms_heads = confirms_heads
        self._quiet_s = min(max(2 * block_ms / 1_000, QUIET_S_MIN), QUIET_S_MAX)
        self._backoff = Backoff(
            CHAIN_READS, first_s=BACKOFF_S_MIN, longest_s=BACKOFF_S_MAX, of=f"chain/{machine.name}"
        )
        self._heard_s = 0.0
        self._told_s: float | None = None
        self.lags_s: deque[float] = deque(maxlen=LAGS_KEPT)
        self._heard_at_s: FIFOCache[str, float] = FIFOCache(HEARD_MAX)
        self._tasks: asyncio.TaskGroup | None = None

    @property
    def quiet_s(self) -> float:
        """How long no block was told, 0 before the first."""
        if self._told_s is None:
            return 0.0
        return asyncio.get_running_loop().time() - self._told_s

    async def run(self) -> None:
        """Follow the chain."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                tasks.create_task(self._hear_heads())
                await self._keep_on()
            finally:
                self._tasks = None  # who still follows or restores pools starts nothing any more

    def follow(self, pools: Sequence[tuple[Pool, Family]]) -> None:
        """Follow pools from now on.

        Raises:
            BadValueError: one is of another chain.
        """
        self.machine.follow(pools)
        self._carry_on()

    async def restore(
        self,
        pools: Sequence[tuple[Pool, Family]],
        known_at: Callable[[BlockRef], Awaitable[Mapping[str, PoolNow]]],
    ) -> None:
        """Follow pools of which states may be known otherwise, as of the newest block.

        Raises:
            NodeError: what is known could not be asked for; all are read then.
        """
        ask = self.machine.begin_restore(pools)
        if ask is None:
            self.follow(pools)
            return
        known: Mapping[str, PoolNow] = {}
        try:
            known = await known_at(ask.at)
        finally:
            self.machine.restored(ask, known)
            self._carry_on()

    def forget(self, address: str) -> None:
        """Do not follow a pool any more."""
        self.machine.forget(address)
        self._carry_on()

    def look_now(self) -> None:
        """Have the nodes asked for their newest block: somebody else told of one."""
        self.machine.ask_latest()
        self._carry_on()

    async def _keep_on(self) -> None:
        """Ask for what is due, again and again."""
        while True:
            if asyncio.get_running_loop().time() - self._heard_s >= self._quiet_s:
                self.machine.ask_latest()
            self.machine.advance()
            self._carry_on()
            await asyncio.sleep(self._quiet_s / 2)

    async def _hear_heads(self) -> None:
        backoff = Backoff(
            HEADS_RECONNECT,
            first_s=BACKOFF_S_MIN,
            longest_s=BACKOFF_S_MAX,
            of=f"chain/{self.machine.name}",
        )
        while True:
            try:
                async for said in self._node.subscribe(Topic.HEADS):
                    self._hear(said)
                    backoff.reset()
            except NodeError as error:
                self.trouble = str(error)
            await asyncio.sleep(backoff.next_s())

    def _hear(self, said: Json) -> None:
        self._heard_s = asyncio.get_running_loop().time()
        try:
            header = self._header(said, is_told=True)
            self._heard_at_s.setdefault(header.ref.hash, self._heard_s)
            self.machine.head(header)
        except BadValueError as error:
            self.trouble = str(error)
            self.machine.lied()
        self._carry_on()

    def _carry_on(self) -> None:
        asks, words = self.machine.take()
        for word in words:
            self._tell(word)
            if word.block is not None:
                self._told_s = asyncio.get_running_loop().time()
                heard_s = self._heard_at_s.pop(word.block.hash, None)
                if heard_s is not None:
                    self.lags_s.append(asyncio.get_running_loop().time() - heard_s)
        if self._tasks is not None:
            for ask in asks:
                self._tasks.create_task(self._perform(ask))

    async def _perform(self, ask: Ask) -> None:
        try:
            async with asyncio.timeout(READ_S if isinstance(ask, AskRead | AskTerms) else ASK_S):
                await self._answer(ask)
        except (NodeError, BadValueError, TimeoutError) as error:
            why = str(error) or "no answer in time"
            is_lie = isinstance(error, BadValueError) or (
                isinstance(error, NodeError) and error.refusal is Refusal.LIED
            )
            log.info("%s: %s: %s", self.machine.name, type(ask).__name__, why)
            self.trouble = why
            self.machine.failed(ask, why, is_lie=is_lie)
            self._carry_on()
            await asyncio.sleep(self._backoff.next_s())
            self.machine.advance()
        else:
            self.trouble = ""
            self._backoff.reset()
        self._carry_on()

    async def _answer(self, ask: Ask) -> None:
        machine = self.machine
        if isinstance(ask, AskLatest):
            said = await self._node.request("eth_getBlockByNumber", "latest", False)
            machine.latest(self._header(said))
        elif isinstance(ask, AskHeader):
            said = await self._node.request("eth_getBlockByHash", ask.hash, False)
            machine.headers(ask, self._headers([said], ask))
        elif isinstance(ask, AskSpan):
            numbers = range(ask.first, ask.last + 1)
            answers = await self._node.batch(
                [("eth_getBlockByNumber", (hex_number(one), False)) for one in numbers]
            )
            machine.headers(ask, self._headers(answers, ask))
        elif isinstance(ask, AskLogs):
            await self._answer_logs(ask)
        elif isinstance(ask, AskRead):
            machine.read(ask, await self._for_each(ask, _read))
        else:
            machine.terms(ask, await self._for_each(ask, _terms))

    def _header(self, said: Json, *, is_told: bool = False) -> Header:
        header = parse_header(said, has_bloom=self._has_bloom)
        if self._note is not None:
            self._note(header.ref.hash, said, is_told)
        return header

    def _headers(
        self, answers: Sequence[Json | NodeError], ask: AskHeader | AskSpan
    ) -> list[Header]:
        found = [
            self._header(said)
            for said in answers
            if said is not None and not isinstance(said, NodeError)
        ]
        if isinstance(ask, AskHeader) and found and found[0].ref.hash != ask.hash:
            raise BadValueError(f"block {found[0].ref.hash} was given for {ask.hash}")
        return found

    async def _answer_logs(self, ask: AskLogs) -> None:
        topics, block = self.machine.topics, ask.of.ref.hash
        said, header = await self._logs_and_header(ask.of, topics)
        if header != ask.of:
            self.machine.corrected(ask, header)
            return
        logs = parse_logs(said, ask.of, topics) if topics else ()
        if is_suspect(logs, ask.of, topics):
            logs = parse_whole(await self._logs(block), ask.of, topics)
        self.machine.logs(ask, logs, topics)

    async def _logs_and_header(self, of: Header, topics: frozenset[bytes]) -> tuple[Json, Header]:
        """Return a block's events, and what it is where a head is not believed of one node.

        Both are asked for by the block's hash, in one batch, so that several have to agree.
        """
        if not self._confirms_heads:
            return (await self._logs(of.ref.hash, topics) if topics else []), of
        header: Asked = ("eth_getBlockByHash", (of.ref.hash, False))
        asked = [_logs_of(of.ref.hash, topics), header] if topics else [header]
        said = await self._node.batch(asked)
        for one in said:
            if isinstance(one, NodeError):
                raise one
        if said[-1] is None:
            raise NodeError(Refusal.AWAY, f"nobody knows block {of.ref.number} {of.ref.hash}")
        logs, found = cast("Json", said[0]), cast("Json", said[-1])
        return logs, self._header(found)

    async def _logs(self, block_hash: str, topics: frozenset[bytes] = frozenset()) -> Json:
        method, params = _logs_of(block_hash, topics)
        return await self._node.request(method, *params)

    async def _for_each(
        self,
        ask: AskRead | AskTerms,
        read: Callable[
            [Family, Sequence[Pool], Reader, BlockRef], Awaitable[Sequence[_Found | Unreadable]]
        ],
    ) -> list[_Found | Unreadable]:
        """Read pools family by family; return what was found in the order of the addresses."""
        of = self.machine.pools.of
        gone = Unreadable(why="it is not followed any more")
        found: dict[str, _Found | Unreadable] = {}
        groups: dict[int, tuple[Family, list[Pool]]] = {}
        for address in ask.addresses:
            if (one := of.get(address)) is not None:
                groups.setdefault(id(one.family), (one.family, []))[1].append(one.pool)
        for family, pools in groups.values():
            states = await read(family, pools, self._reader, ask.at)
            if len(states) != len(pools):
                raise BadValueError(f"{len(states)} pools were read, not {len(pools)}")
            found.update((pool.address, now) for pool, now in zip(pools, states, strict=True))
        return [found.get(address, gone) for address in ask.addresses]


def _logs_of(block_hash: str, topics: frozenset[bytes]) -> Asked:
    wanted: dict[str, Json] = {"blockHash": block_hash}
    if topics:
        wanted["topics"] = [[hex_bytes(one) for one in sorted(topics)]]
    return "eth_getLogs", (wanted,)


def _read(
    family: Family, pools: Sequence[Pool], reader: Reader, at: BlockRef
) -> Awaitable[Sequence[PoolNow | Unreadable]]:
    return family.read(pools, reader, at)


def _terms(
    family: Family, pools: Sequence[Pool], reader: Reader, at: BlockRef
) -> Awaitable[Sequence[Pool | ReadAgain | Unreadable]]:
    return family.terms(pools, reader, at)
