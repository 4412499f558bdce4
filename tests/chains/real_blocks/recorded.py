"""Blocks of Ethereum as their traces have them: what pairs did, and what contracts answered."""

import lzma
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

FILE: Final = Path(__file__).parents[2] / "data" / "chains" / "real_blocks.jsonl.xz"


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """A pair, whose address follows from its tokens."""

    dex: str
    address: str
    tokens: tuple[str, str]


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happened at a pair; numbers as text, being wide.

    Attributes:
        tx: place of the transaction in its block.
        kind: ``reserves``: it answered what it holds; ``paid``: so much of its tokens was sent to
            it; all others change it.
        raw: of its two tokens: reserves, what was sent, or the balances that a change leaves.
        outs: what a swap pays.
    """

    tx: int
    kind: Literal["reserves", "paid", "swap", "mint", "burn", "sync"]
    pair: str
    raw: list[str]
    outs: list[str] = []
    sender: str = ""
    receiver: str = ""


class Act3(msgspec.Struct, frozen=True, kw_only=True):
    """What a concentrated pool said: price and tick, liquidity, or what a swap came to."""

    tx: int
    pool: str
    kind: Literal["slot0", "liquidity", "swap"]
    raw: list[str]


class RealBlock(msgspec.Struct, frozen=True, kw_only=True):
    """A block.

    Attributes:
        made_at_s: 0 where the recording does not say it.
        tx_hashes: by the places of the transactions in which something happened.
        acts: in the order of their effects.
    """

    number: int
    hash: str
    made_at_s: int
    tx_hashes: dict[int, str]
    pairs: list[Pair]
    acts: list[Act]
    acts3: list[Act3]


def packed(blocks: Sequence[RealBlock]) -> bytes:
    """Return the content of the file: a block a line."""
    lines = b"\n".join(msgspec.json.encode(one) for one in blocks)
    return lzma.compress(lines, preset=9 | lzma.PRESET_EXTREME)


def load() -> list[RealBlock]:
    """Return the blocks, the oldest first."""
    lines = lzma.decompress(FILE.read_bytes()).splitlines()
    return [msgspec.json.decode(line, type=RealBlock) for line in lines]
