"""Blocks of a chain for the paced figures: pairs by the thousand, 200 moves a second.

`python -m benchmarks.paced_chain SOCKET` is in the place of the role `chains`: it tells each block
as the role does, made before, so that it takes next to nothing of the machine.
"""

import asyncio
import random
import sys
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Final

import msgspec
from websockets.asyncio.server import ServerConnection, unix_serve
from websockets.exceptions import ConnectionClosed

from engine.domain.assets import AssetCode
from engine.domain.chains import BlockTerms
from engine.domain.pools import Pool, Protocol
from engine.pools.blocks import Block, ChainWord, PairMoves, words_of
from engine.pools.snapshot_rows import PairRow
from engine.pools.snapshots import PoolSnapshot
from engine.wiring.markets import ChainSource

CHAIN: Final = "ethereum"
POOLS: Final = 2_000
TOKENS: Final = 500
HUBS: Final = {"USD": 1, "ETH": 2_000, "BTC": 60_000}
FEE: Final = Decimal("0.01")
"""More than prices move: nothing is gained."""

MOVE_RATIO: Final = 1e-4
BLOCK_MS: Final = 500
MOVES: Final = 100
FIRST_BLOCK: Final = 1
TERMS: Final = BlockTerms(stale_ms=60_000, undo_blocks=64, block_ms=BLOCK_MS)


def snapshots() -> list[PoolSnapshot]:
    """Return the pools as of the first block."""
    rng = random.Random(7)
    made = []
    for number in range(POOLS):
        hub, usd = rng.choice(list(HUBS.items()))
        tokens = ((AssetCode(f"T{number % TOKENS}"), 18), (AssetCode(hub), 18))
        pool = Pool(
            chain=CHAIN,
            protocol=Protocol.UNISWAP_V2,
            address=f"0x{number:040x}",
            tokens=tokens,
            fee_ratio=FEE,
            gas_units=90_000,
        )
        row = PairRow(reserve0_raw=str(10**24), reserve1_raw=str(10**24 // usd))
        made.append(PoolSnapshot(pool=pool, row=row, block=FIRST_BLOCK))
    return made


def words() -> Iterator[bytes]:
    """Return the blocks, one after the other."""
    rng = random.Random(8)
    pools = snapshots()
    for number in count(FIRST_BLOCK + 1):
        addresses, moved = [], []
        for one in rng.sample(pools, MOVES):
            assert isinstance(one.row, PairRow)
            ratio = 1.0 + rng.uniform(-1.0, 1.0) * MOVE_RATIO
            addresses.append(one.pool.address)
            moved.append(
                words_of(
                    int(int(one.row.reserve0_raw) * ratio), int(int(one.row.reserve1_raw) / ratio)
                )
            )
        block = Block(
            chain=CHAIN,
            number=number,
            hash=f"0x{number:064x}",
            parent_hash=f"0x{number - 1:064x}",
            made_at_ns=0,
            pairs=PairMoves(addresses=tuple(addresses), words=b"".join(moved)),
        )
        yield msgspec.json.encode(ChainWord(block=block))


def source(socket_path: str) -> ChainSource:
    """Return where the blocks come from."""
    return ChainSource(
        url=f"ws://{CHAIN}/chains/{CHAIN}", block_ms=BLOCK_MS, socket_path=socket_path
    )


async def main(socket_path: str) -> None:
    """Tell who connects a block twice a second."""

    async def tell(socket: ServerConnection) -> None:
        try:
            for word in words():
                await socket.send(word)
                await asyncio.sleep(BLOCK_MS / 1_000)
        except ConnectionClosed:
            return

    async with unix_serve(tell, path=socket_path, compression=None):
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
