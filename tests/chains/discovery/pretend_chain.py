"""A chain in memory, a `Node` and a `Reader` in one: blocks, and what factories told in them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path

import msgspec
from eth_hash.auto import keccak

from engine.chains.discovery.addresses import derived_address
from engine.chains.discovery.announcements import ANNOUNCED
from engine.chains.discovery.cache_file import open_cache
from engine.chains.discovery.factory_scan import FactoryScan
from engine.chains.discovery.found import FoundPool
from engine.chains.discovery.pool_cache import PoolCache
from engine.chains.ports import BlockRef, Call, Json, Log, NodeError, Refusal, Topic
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol

CODE = "0x" + "ab" * 32
V2 = Dex(
    name="Pairs",
    chain="ethereum",
    protocol=Protocol.UNISWAP_V2,
    factory="0x" + "f2" * 20,
    init_code_hash=CODE,
    fee_pips=3000,
)
V3 = Dex(
    name="Tiers",
    chain="ethereum",
    protocol=Protocol.UNISWAP_V3,
    factory="0x" + "f3" * 20,
    init_code_hash=CODE,
)
V4 = Dex(name="Hooked", chain="ethereum", protocol=Protocol.UNISWAP_V4, factory="0x" + "f4" * 20)


def token(number: int) -> str:
    return f"0x{number:040x}"


def word(value: int | str) -> bytes:
    if isinstance(value, str):
        return bytes.fromhex(value[2:]).rjust(32, b"\0")
    return value.to_bytes(32, signed=value < 0)


def pair(low: int, high: int, *, serial: int, dex: Dex = V2) -> Log:
    """What a factory of pairs tells of one, at the place where it derives it."""
    found = FoundPool(dex=dex, address="0x", tokens=(token(low), token(high)), block=0)
    return pair_at(derived_address(found), low, high, serial=serial, dex=dex)


def pair_at(address: str, low: int, high: int, *, serial: int, dex: Dex = V2) -> Log:
    return event(dex, (word(low), word(high)), word(address) + word(serial))


def tier(low: int, high: int, *, fee_pips: int, spacing: int = 60, dex: Dex = V3) -> Log:
    found = FoundPool(
        dex=dex, address="0x", tokens=(token(low), token(high)), number=fee_pips, block=0
    )
    return event(
        dex,
        (word(low), word(high), word(fee_pips)),
        word(spacing) + word(derived_address(found)),
    )


def v4(low: int, high: int, *, hooks: int = 0, fee_pips: int = 500, pool_id: str = "") -> Log:
    found = FoundPool(
        dex=V4,
        address="0x",
        tokens=(token(low), token(high)),
        number=10,
        fee_pips=fee_pips,
        block=0,
    )
    return event(
        V4,
        (word(pool_id or derived_address(found)), word(low), word(high)),
        word(fee_pips) + word(10) + word(hooks) + word(2**96) + word(0),
    )


def event(dex: Dex, topics: tuple[bytes, ...], data: bytes) -> Log:
    return Log(
        address=dex.factory,
        topics=(ANNOUNCED[dex.protocol].topic, *topics),
        data=data,
        block_number=0,
        block_hash="",
        tx_hash="0x" + "00" * 32,
        index=0,
    )


class PretendChain:
    """Blocks that say what was told in them.

    Attributes:
        logs_max, span_max: what the provider gives at once.
        hidden: events that the provider leaves out.
        asked: spans that were asked for and given.
        counts: how many pairs factories say that they have.
    """

    def __init__(self, *, span_max: int = 1_000, logs_max: int = 1_000) -> None:
        self.span_max = span_max
        self.logs_max = logs_max
        self.hidden: set[bytes] = set()
        self.asked: list[tuple[int, int]] = []
        self.reorgs_while_reading = 0
        self.counts: dict[str, int] = {}
        self._told: list[tuple[str, list[Log]]] = []
        self.mine()

    @property
    def head(self) -> int:
        return len(self._told) - 1

    def mine(self, *logs: Log, branch: str = "") -> None:
        """Add a block in which this is told."""
        parent = self._told[-1][0] if self._told else ""
        block_hash = "0x" + keccak(f"{parent}{len(self._told)}{branch}".encode()).hex()
        self._told.append((block_hash, list(logs)))

    def reorg(self, depth: int, branch: str) -> None:
        """Replace the newest blocks by empty ones."""
        del self._told[-depth:]
        for _ in range(depth):
            self.mine(branch=branch)

    async def request(self, method: str, *params: Json) -> Json:
        assert method == "eth_getBlockByNumber"
        number = int(str(params[0]), 16)
        if number > self.head:
            return None
        parent = self._told[number - 1][0] if number else "0x" + "00" * 32
        return {
            "number": hex(number),
            "hash": self._told[number][0],
            "parentHash": parent,
            "timestamp": hex(1_700_000_000 + number),
        }

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        return [await self.request(method, *params) for method, params in asked]

    def subscribe(
        self, topic: Topic, params: Mapping[str, Json] | None = None
    ) -> AsyncGenerator[Json]:
        raise NotImplementedError

    async def call(self, calls: Sequence[Call], at: BlockRef) -> list[bytes | None]:
        assert at.number <= self.head
        return [word(self.counts[one.to]) if one.to in self.counts else None for one in calls]

    async def logs(
        self, first: int, last: int, *, topics: Sequence[bytes], addresses: Sequence[str] = ()
    ) -> list[Log]:
        found = [
            msgspec.structs.replace(log, block_number=number, block_hash=block_hash, index=index)
            for number, (block_hash, logs) in enumerate(self._told[: last + 1])
            for index, log in enumerate(logs)
            if number >= first and log.topics[0] in topics and log.address in addresses
        ]
        if last - first >= self.span_max or len(found) > self.logs_max:
            raise NodeError(Refusal.TOO_MANY, f"{last - first + 1} blocks")
        self.asked.append((first, last))
        if self.reorgs_while_reading:
            self.reorgs_while_reading -= 1
            self.reorg(1, f"branch {self.reorgs_while_reading}")
        return [log for log in found if log.data not in self.hidden]


def cache_at(path: Path, dexes: Sequence[Dex] = (V2, V3, V4)) -> PoolCache:
    return PoolCache(open_cache(path, chain_id=1), dexes)


def scan_of(
    chain: PretendChain,
    cache: PoolCache,
    dexes: Sequence[Dex] = (V2, V3, V4),
    *,
    log_span: int = 10,
) -> FactoryScan:
    return FactoryScan(node=chain, reader=chain, dexes=dexes, cache=cache, log_span=log_span)


def pools_in(cache: PoolCache) -> set[tuple[str, int]]:
    """Pools that are known: address and block."""
    return {(pool.address, pool.block) for pool in cache.all()}
