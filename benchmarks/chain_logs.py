"""Logs of a chain: from the bytes of a message to the exact state of a pool.

`python -m benchmarks.chain_logs`. Pairs and concentrated pools; what `blocks` measures comes after:
the states as sides of the market, screened. Peers take the same pairs' logs in `peers/logs.py`.
"""

import random
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

import msgspec

from benchmarks.harness import WARM_UP_CALLS, Row, machine, measure, print_table
from engine.chains.facts.keeping import KeptBlocks
from engine.chains.families.uniswap_v2 import SYNC, UniswapV2
from engine.chains.families.uniswap_v3 import SWAP, UniswapV3
from engine.chains.following.branch import Branch, Taken
from engine.chains.following.pools import FollowedPools
from engine.chains.ports import BlockRef, Family, Json, PoolNow
from engine.chains.rpc.parsing import parse_log
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol
from engine.pools.blocks import Block, ChainWord, PoolMoved
from engine.pools.moves import moved
from engine.pools.snapshot_rows import AnyRow, ConcentratedRow, PairRow, PoolState
from engine.pools.snapshots import PoolSnapshot, state_of

CALLS: Final = WARM_UP_CALLS + 2_000
PAIRS: Final = 200
FOLLOWED: Final = 5_000
DEPTH: Final = 20
UNDONE_MOVES: Final = 50
UNDO_MAX: Final = 64
CHAIN: Final = "ethereum"
RESERVES_RAW: Final = (10**21, 3 * 10**12)
FEE: Final = (3, 1_000)
PRICE_X96: Final = 1 << 96
LIQUIDITY: Final = 10**21

Wire = dict[str, Any]


def pair_address(number: int) -> str:
    """Return the address of a pair of the benchmark."""
    return f"0x{number + 1:040x}"


def sync_log(number: int, reserves_raw: tuple[int, int], *, block: int, index: int) -> Wire:
    """Return an event as a node writes it: a pair's new reserves."""
    return _wire(pair_address(number), (SYNC,), reserves_raw, block=block, index=index)


def _wire(
    address: str, topics: tuple[bytes, ...], words: tuple[int, ...], *, block: int, index: int
) -> Wire:
    return {
        "address": address,
        "topics": ["0x" + one.hex() for one in topics],
        "data": "0x" + b"".join((one % (1 << 256)).to_bytes(32) for one in words).hex(),
        "blockNumber": hex(block),
        "blockHash": f"0x{block:064x}",
        "transactionHash": f"0x{index:064x}",
        "transactionIndex": hex(index),
        "logIndex": hex(index),
        "removed": False,
    }


class Followed:
    """A pool of which logs come, in exact form."""

    def __init__(self, family: Family, pool: Pool, row: AnyRow) -> None:
        self.family, self.pool, self.row = family, pool, row
        self.state: PoolState = state_of(PoolSnapshot(pool=pool, row=row))

    def take(self, text: bytes) -> PoolMoved:
        """Take an event from the bytes that tell of it."""
        return self.take_decoded(msgspec.json.decode(text))

    def take_decoded(self, told: Wire) -> PoolMoved:
        """Take an event whose JSON is decoded."""
        change = self.family.change_of(self.pool, parse_log(told))
        assert isinstance(change, PoolMoved)
        self.row, self.state = moved(self.pool, self.row, self.state, change.move)
        return change


def _pool(protocol: Protocol, fee_ratio: str, number: int) -> Pool:
    return Pool(
        chain=CHAIN,
        protocol=protocol,
        address=pair_address(number),
        tokens=((AssetCode("AAA"), 18), (AssetCode("BBB"), 6)),
        fee_ratio=Decimal(fee_ratio),
        gas_units=100_000,
    )


def pair(number: int = 0) -> Followed:
    """Return a pair."""
    row = PairRow(reserve0_raw=str(RESERVES_RAW[0]), reserve1_raw=str(RESERVES_RAW[1]))
    return Followed(UniswapV2(), _pool(Protocol.UNISWAP_V2, "0.003", number), row)


def _concentrated() -> Followed:
    row = ConcentratedRow(
        sqrt_price_x96=str(PRICE_X96),
        tick=0,
        liquidity=str(LIQUIDITY),
        tick_spacing=60,
        ticks=((-887_220, str(LIQUIDITY)), (887_220, str(-LIQUIDITY))),
        grosses=(str(LIQUIDITY), str(LIQUIDITY)),
    )
    return Followed(UniswapV3(), _pool(Protocol.UNISWAP_V3, "0.003", 0), row)


def sync_texts(chance: random.Random, count: int) -> list[bytes]:
    """Return so many events of one pair, as text."""
    return [
        msgspec.json.encode(sync_log(0, _near(chance), block=number, index=0))
        for number in range(1, count + 1)
    ]


def _near(chance: random.Random) -> tuple[int, int]:
    ratio = 1 + chance.uniform(-0.01, 0.01)
    return int(RESERVES_RAW[0] * ratio), int(RESERVES_RAW[1] / ratio)


def _swap_texts(chance: random.Random, count: int) -> list[bytes]:
    topics = (SWAP, bytes(32), bytes(32))
    texts = []
    for number in range(count):
        price = PRICE_X96 + chance.randrange(1, 1 << 80)
        words = (10**18, -(10**18), price, LIQUIDITY, 0)
        texts.append(
            msgspec.json.encode(_wire(pair_address(0), topics, words, block=number, index=0))
        )
    return texts


def _block_of_words(chance: random.Random, pairs: list[Followed], number: int) -> list[Any]:
    return [sync_log(at, _near(chance), block=number, index=at) for at in range(len(pairs))]


def measure_all() -> list[Row]:
    """Measure single logs, and whole blocks on their way from a node to the engine."""
    chance = random.Random(7)
    rows = []
    for name, pool, texts in (
        ("pair", pair(), sync_texts(chance, CALLS)),
        ("concentrated", _concentrated(), _swap_texts(chance, CALLS)),
    ):
        calls: list[Callable[[], object]] = [partial(pool.take, text) for text in texts]
        rows.append(measure(f"chains.log to state.{name}", calls))
    pairs = [pair(number) for number in range(PAIRS)]
    answers = [
        msgspec.json.encode(_block_of_words(chance, pairs, number)) for number in range(CALLS // 4)
    ]
    by_address = {one.pool.address: one for one in pairs}
    rows.append(
        measure(
            f"chains.role.{PAIRS} logs to a word",
            [partial(word_of, answer, by_address) for answer in answers],
        )
    )
    single = [msgspec.json.encode([sync_log(0, _near(chance), block=1, index=0)])] * CALLS
    calls = [partial(word_of, one, by_address) for one in single]
    rows.append(measure("chains.role.1 log to a word", calls))
    rows += _rows_of_notes()
    words = [word_of(answer, by_address) for answer in answers]
    decoder = msgspec.json.Decoder(ChainWord)
    rows.append(
        measure(f"chains.engine.word of {PAIRS} moves", [partial(decoder.decode, w) for w in words])
    )
    return [*rows, _measure_undone(chance)]


def _measure_undone(chance: random.Random) -> Row:
    """Undo blocks in the role, which follows many more pools than they moved."""
    branch = Branch(UNDO_MAX)
    followed = FollowedPools(CHAIN, branch)
    pools = [pair(number) for number in range(FOLLOWED)]
    first = Taken(_ref(0))
    for one in pools:
        assert isinstance(one.row, PairRow)
        followed.add(one.pool, one.family)
        followed.hold([one.pool.address], first.ref)
        now = PoolNow(pool=one.pool, row=one.row)
        followed.take_read(first.ref, one.pool.address, now, first)
    blocks = [
        [
            parse_log(sync_log(at, _near(chance), block=number, index=index))
            for index, at in enumerate(chance.sample(range(FOLLOWED), UNDONE_MOVES))
        ]
        for number in range(1, DEPTH + 1)
    ]

    def come() -> None:
        for number, logs in enumerate(blocks, 1):
            taken = Taken(_ref(number))
            followed.take(taken, logs)
            branch.add(taken)

    def undo() -> None:
        for _ in range(DEPTH):
            followed.undo(branch.pop())

    branch.add(first)
    come()
    return measure(
        f"chains.role.undo.{DEPTH} of {UNDONE_MOVES} moves", [undo] * (CALLS // 4), between=come
    )


def _ref(number: int) -> BlockRef:
    return BlockRef(
        number=number,
        hash=f"0x{number:064x}",
        parent_hash=f"0x{number - 1:064x}",
        made_at_s=number,
    )


def _rows_of_notes() -> list[Row]:
    """Measure what it takes to note a block: its header, before the engine is told, and after."""
    kept = KeptBlocks(lambda: 1)
    heads: list[Json] = [
        {
            "baseFeePerGas": hex(10**9 + number),
            "gasUsed": hex(15_000_000),
            "gasLimit": hex(30_000_000),
            "logsBloom": "0x" + "00" * 256,
        }
        for number in range(CALLS)
    ]
    blocks = [
        Block(chain=CHAIN, number=number, hash=f"0x{number}", parent_hash="0x", made_at_ns=0)
        for number in range(CALLS)
    ]
    before = [
        partial(kept.head, block.hash, head, True)
        for block, head in zip(blocks, heads, strict=True)
    ]
    after = [partial(kept.told, block) for block in blocks]
    return [
        measure("chains.role.a header noted, before a block is told", before),
        measure("chains.role.a block noted, after it was told", after, between=kept.notes.take),
    ]


def word_of(answer: bytes, by_address: dict[str, Followed]) -> bytes:
    """Return what the role tells the engine of a block whose logs a node has told."""
    changes = []
    for said in msgspec.json.decode(answer):
        log = parse_log(said)
        followed = by_address[log.address]
        change = followed.family.change_of(followed.pool, log)
        assert isinstance(change, PoolMoved)
        changes.append(change)
    block = Block(
        chain=CHAIN,
        number=1,
        hash=log.block_hash,
        parent_hash=log.block_hash,
        made_at_ns=0,
        changes=tuple(changes),
    )
    return msgspec.json.encode(ChainWord(block=block))


if __name__ == "__main__":
    print(f"machine: {machine()}")
    print_table(measure_all())
