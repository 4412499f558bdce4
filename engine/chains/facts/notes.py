"""Notes what each block was as it is followed: pure, and bounded whatever nodes say.

A block is noted when the engine was told of it; what is known only later (its swaps, what was
tipped in it) is added while it is among the newest.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

import msgspec

from engine.chains.gas.base_fee import BASE_FEE_MAX_WEI, GAS_MAX, LIMIT_MAX
from engine.chains.gas.fee_history import FeeHistory
from engine.chains.ports import Json
from engine.chains.rpc.parsing import parse_quantity
from engine.domain.block_facts import BlockFact, Swap, Wait
from engine.domain.errors import BadValueError
from engine.domain.units import GWEI_DECIMALS
from engine.pools.blocks import Block

HEADS_MAX: Final = 256
"""Headers that were heard and whose blocks were not taken yet."""

OPEN_MAX: Final = 64
"""To so many of the newest blocks something may yet be added."""

SWAPS_MAX: Final = 200
WAITS_MAX: Final = 50
TRANSACTIONS_MAX: Final = 100_000


class _Head(NamedTuple):
    heard_at_ns: int
    base_fee_gwei: float
    gas_used: int
    gas_limit: int
    transactions: int


_NO_HEAD: Final = _Head(0, 0.0, 0, 0, -1)


class Written(NamedTuple):
    """What is to be written: facts, and from which number on those that were there are gone."""

    gone_from: int | None
    facts: Sequence[BlockFact]


class BlockNotes:
    """The newest blocks of a chain.

    Attributes:
        data_raw: what the bytes of a transaction of two swaps cost now.
        bad_heads: headers whose fees cannot be true.
        cut: swaps that were one too many of their block.
    """

    def __init__(self) -> None:
        self.data_raw = 0
        self.bad_heads = 0
        self.cut = 0
        self._heads: OrderedDict[str, _Head] = OrderedDict()
        self._open: OrderedDict[int, BlockFact] = OrderedDict()
        self._unwritten: set[int] = set()
        self._gone_from: int | None = None

    def head(self, block_hash: str, said: Json, *, heard_at_ns: int) -> None:
        """Hear a header; `heard_at_ns` is 0 if it was asked for."""
        known = self._heads.pop(block_hash, _NO_HEAD)
        try:
            head = _head_of(said, known.heard_at_ns or heard_at_ns)
        except BadValueError:
            self.bad_heads += 1
            head = known._replace(heard_at_ns=known.heard_at_ns or heard_at_ns)
        if head.transactions < 0:
            head = head._replace(transactions=known.transactions)
        self._heads[block_hash] = head
        while len(self._heads) > HEADS_MAX:
            self._heads.popitem(last=False)

    def known(self, fact: BlockFact) -> None:
        """Go on from a block that was kept before."""
        self._open[fact.number] = fact

    def told(self, block: Block, *, at_ns: int) -> None:
        """Note a block that the engine was told of; those that it takes the place of are gone."""
        head = self._heads.pop(block.hash, _NO_HEAD)
        self._forget_from(block.number)
        self._open[block.number] = BlockFact(
            number=block.number,
            hash=block.hash,
            made_at_ns=block.made_at_ns,
            heard_at_ns=head.heard_at_ns,
            told_at_ns=at_ns,
            base_fee_gwei=head.base_fee_gwei,
            gas_used=head.gas_used,
            gas_limit=head.gas_limit,
            transactions=head.transactions,
            tips_gwei=(),
            data_raw=self.data_raw,
            undone=block.undone,
            swaps=(),
        )
        self._unwritten.add(block.number)
        while len(self._open) > OPEN_MAX:
            oldest = next(iter(self._open))
            if oldest in self._unwritten:
                break  # they are written within a second
            del self._open[oldest]
        while len(self._open) > 2 * OPEN_MAX:
            number, _ = self._open.popitem(last=False)
            self._unwritten.discard(number)

    def swapped(self, number: int, block_hash: str, swaps: Iterable[Swap]) -> None:
        """Add the swaps of a block, if it is still among the newest."""
        fact = self._open.get(number)
        if fact is None or fact.hash != block_hash:
            return
        all_of_them = tuple(swaps)
        self.cut += max(len(all_of_them) - SWAPS_MAX, 0)
        if all_of_them:
            self._put(msgspec.structs.replace(fact, swaps=all_of_them[:SWAPS_MAX]))

    def took(self, number: int, block_hash: str, waits: Iterable[Wait]) -> None:
        """Add what a block took that had been heard before, if it is still among the newest."""
        fact = self._open.get(number)
        if fact is not None and fact.hash == block_hash:
            self._put(msgspec.structs.replace(fact, waits=tuple(islice(waits, WAITS_MAX))))

    def paid(self, history: FeeHistory) -> None:
        """Add what was tipped in the newest blocks."""
        first = history.newest - len(history.blocks) + 1
        for number, block in enumerate(history.blocks, first):
            fact = self._open.get(number)
            if fact is not None and not fact.tips_gwei and block.used_ratio > 0.0:
                tips_gwei = tuple(tip_wei / 10**GWEI_DECIMALS for tip_wei in block.tips_wei)
                self._put(msgspec.structs.replace(fact, tips_gwei=tips_gwei))

    def take(self) -> Written:
        """Return what is to be written since the last call."""
        facts = [self._open[number] for number in sorted(self._unwritten)]
        written = Written(self._gone_from, facts)
        self._unwritten.clear()
        self._gone_from = None
        return written

    def _put(self, fact: BlockFact) -> None:
        self._open[fact.number] = fact
        self._unwritten.add(fact.number)

    def _forget_from(self, number: int) -> None:
        """Forget this block and all behind it."""
        for later in [one for one in self._open if one >= number]:
            del self._open[later]
            self._unwritten.discard(later)
        gone_from = self._gone_from
        self._gone_from = number if gone_from is None else min(gone_from, number)


def _head_of(said: Json, heard_at_ns: int) -> _Head:
    """Return what of a header says what its block was; what a chain has none of is 0.

    Raises:
        BadValueError: it cannot be true.
    """
    if not isinstance(said, dict):
        raise BadValueError("a header is no object")
    fee_wei = parse_quantity(said.get("baseFeePerGas", "0x0"), "a base fee", most=BASE_FEE_MAX_WEI)
    listed = said.get("transactions")
    count = len(listed) if isinstance(listed, list) else -1
    return _Head(
        heard_at_ns=heard_at_ns,
        base_fee_gwei=fee_wei / 10**GWEI_DECIMALS,
        gas_used=parse_quantity(said.get("gasUsed", "0x0"), "gas used", most=GAS_MAX),
        gas_limit=parse_quantity(said.get("gasLimit", "0x0"), "a gas limit", most=LIMIT_MAX),
        transactions=count if count <= TRANSACTIONS_MAX else -1,
    )
