"""What an engine believes of a chain's pools, block by block, beside what the node has there."""

from collections.abc import Container, Mapping, Sequence

from engine.chains.families.family_list import families_of
from engine.chains.following.held import Held, are_same
from engine.chains.ports import BlockRef, Family, NodeError, PoolNow
from engine.chains.rpc.reader import ChainReader
from engine.domain.dexes import Dex
from engine.domain.faults import Fault
from engine.domain.gas import GasPrice
from engine.domain.pools import Protocol
from engine.pools.blocks import Block, ChainWord, SwapTold
from engine.pools.snapshots import PoolSnapshot
from tests.chains.following.test_any_order import Engine


class Witness:
    """Hears a chain as the engine does, and remembers what it took pools to be at each block.

    Attributes:
        engine: the engine's own pools.
        lost_count: how often the stream broke.
        compared: states that were compared with the node's.
    """

    def __init__(self, dexes: Sequence[Dex]) -> None:
        self.engine = Engine(undo_blocks=64)
        self.lost_count = 0
        self.compared = 0
        self._families: Mapping[Protocol, Family] = families_of(dexes)
        self._newest: BlockRef | None = None
        self._believed: dict[str, tuple[BlockRef, dict[str, Held]]] = {}

    # Obeys `block_stream.ChainSink`.

    def removed(self, address: str) -> None:
        self.engine.hear([ChainWord(removed=(address,))])

    def pool(self, snapshot: PoolSnapshot) -> None:
        self.engine.hear([ChainWord(pools=(snapshot,))])

    def block(self, block: Block) -> None:
        self._remember()
        self.engine.hear([ChainWord(block=block)])
        self._newest = BlockRef(
            number=block.number,
            hash=block.hash,
            parent_hash=block.parent_hash,
            made_at_s=block.made_at_ns // 10**9,
        )

    def gas(self, price: GasPrice) -> None:
        del price  # it moves no pool

    def told(self, swap: SwapTold) -> None:
        del swap  # nor does a hint

    def lost(self, fault: Fault) -> None:
        del fault
        self._remember()
        self.lost_count += 1
        self._newest = None
        self.engine.lose()

    # What it believes.

    @property
    def newest(self) -> str | None:
        """Hash of the newest block that the engine knows."""
        return None if self._newest is None else self.engine.newest

    def believed(self) -> dict[str, Held]:
        """Return the pools that a decision may rest on now."""
        moving, graph = self.engine.world.moving, self.engine.world.graph
        return {
            held.pool.address: Held(held.pool, held.row, held.state)
            for number in moving.numbers.values()
            if (held := graph.pools.get(number)) is not None and number not in moving.reasons
        }

    async def differing(self, reader: ChainReader, gone: Container[str]) -> list[str]:
        """Compare all that was believed since the last call with the node; return what is wrong.

        A block that the node does not have is wrong too, whatever was believed there, unless it is
        one of those that the node has taken back.
        """
        self._remember()
        remembered, self._believed = self._believed, {}
        found: list[str] = []
        for at, pools in remembered.values():
            if at.hash in gone:
                continue
            for protocol in {one.pool.protocol for one in pools.values()}:
                own = [one for one in pools.values() if one.pool.protocol is protocol]
                family = self._families[protocol]
                try:
                    said = await family.read([one.pool for one in own], reader, at)
                except NodeError as error:
                    found.append(f"block {at.number} {at.hash}: {error}")
                    break
                for one, now in zip(own, said, strict=True):
                    self.compared += 1
                    is_same = isinstance(now, PoolNow) and are_same(one, Held.of(now))
                    found += [] if is_same else [f"{one.pool} at block {at.number}"]
        return found

    def _remember(self) -> None:
        if self._newest is not None and self.engine.newest == self._newest.hash:
            self._believed[self._newest.hash] = self._newest, self.believed()
