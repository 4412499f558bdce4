"""A chain in one process that answers what a node is asked: blocks, a queue, reorganisations.

It takes signed transactions apart as a node does, holds of each nonce one, and carries a call of
our contract out as its luck has it: as planned, better, or reverted. `test_model_node.py` asks it
and anvil the same; only that a tenth more takes another's place is go-ethereum's, anvil takes less.
Nothing of it is lost when the sender ends.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import rlp
from eth_hash.auto import keccak

from engine.chains.ports import Json, NodeError, Refusal
from engine.sending.calls import TRANSFER, balance_call, recovery_call
from engine.sending.encoding import decode

BLOCK_S: Final = 2
FINAL_DEPTH: Final = 4
GWEI: Final = 10**9
GAS_LIMIT: Final = 30_000_000
TRANSFER_GAS: Final = 21_000
ROUTE_GAS: Final = 180_000
FEE_BLOCK_GAS: Final = GAS_LIMIT // 2
"""Blocks are half full, so that the base fee stays but where it is set."""


@dataclass(frozen=True)
class Sent:
    """A transaction of the wallet, as it was sent."""

    hash: str
    nonce: int
    tip_wei: int
    fee_wei: int
    gas_limit: int
    to: str
    data: bytes
    is_foreign: bool = False

    @classmethod
    def parse(cls, raw: bytes) -> "Sent":
        _, nonce, tip, fee, gas, to, _, data, *_ = rlp.decode(raw[1:])
        return cls(
            hash="0x" + keccak(raw).hex(),
            nonce=int.from_bytes(nonce),
            tip_wei=int.from_bytes(tip),
            fee_wei=int.from_bytes(fee),
            gas_limit=int.from_bytes(gas),
            to="0x" + to.hex(),
            data=data,
        )


@dataclass(frozen=True)
class Held:
    """A transaction in a block, and what it came to."""

    sent: Sent
    is_success: bool
    gas_used: int
    price_wei: int
    gain_raw: int = 0


@dataclass(frozen=True)
class Block:
    """A block, and all that it and those before it came to."""

    number: int
    hash: str
    ts: int
    base_fee_wei: int
    held: tuple[Held, ...] = ()
    count: int = 0
    kept_raw: int = 0
    spent_wei: int = 0


@dataclass
class ModelNode:
    """One branch of blocks at a time; see the module.

    Attributes:
        planned_raw: what a call gains where nothing comes between, by its bytes.
        undone: receipts of blocks that are gone.
        accepted: hashes of all that was ever taken in.
    """

    luck: Random
    wallet: str
    contract: str
    recovery: str
    token: str
    code: bytes
    start_ts: int
    funds_wei: int = 10**20
    planned_raw: dict[bytes, int] = field(default_factory=dict)
    queue: dict[str, Sent] = field(default_factory=dict)
    undone: dict[str, dict[str, Json]] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    blocks: list[Block] = field(default_factory=list)
    made: int = 0
    final: int = 0
    base_fee_wei: int = GWEI

    def __post_init__(self) -> None:
        self.blocks.append(Block(0, self._new_hash(), self.start_ts, self.base_fee_wei))

    # ---- what happens ------------------------------------------------------------------------

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def mine(self, *, most: int, wait_s: int = BLOCK_S) -> None:
        """Make a block of what waits and pays the base fee."""
        held: list[Held] = []
        ts = self.head.ts + wait_s
        nonce = self.head.count
        while len(held) < most:
            found = next((one for one in self.queue.values() if one.nonce == nonce), None)
            if found is None or found.fee_wei < self.base_fee_wei:
                break
            held.append(self._carried_out(found, ts))
            nonce += 1
        self._add(held, ts)

    def mine_foreign(self) -> None:
        """Let the next nonce be used by somebody else who has the key."""
        name = self._new_hash()
        sent = Sent(
            name, self.head.count, GWEI, 2 * self.base_fee_wei, TRANSFER_GAS, "0x" + "66" * 20, b"",
            is_foreign=True,
        )  # fmt: skip
        self._add([Held(sent, True, TRANSFER_GAS, self.base_fee_wei)], self.head.ts + BLOCK_S)

    def reorganise(self, depth: int, *, keeps: bool) -> None:
        """Undo blocks; what they held waits again, or is forgotten; one without it takes over."""
        for _ in range(min(depth, self.head.number - self.final)):
            block = self.blocks.pop()
            for one in block.held:
                self.undone[one.sent.hash] = self._receipt(block, one)
                if keeps and not one.sent.is_foreign:
                    self.queue[one.sent.hash] = one.sent
        self._add([], self.head.ts + BLOCK_S)

    def holders(self) -> list[tuple[Block, Held]]:
        """Return all that the branch holds."""
        return [(block, one) for block in self.blocks for one in block.held]

    def _carried_out(self, sent: Sent, ts: int) -> Held:
        price_wei = min(sent.fee_wei, self.base_fee_wei + sent.tip_wei)
        if sent.to != self.contract:
            return Held(sent, True, TRANSFER_GAS, price_wei)
        route = decode(sent.data, contract=self.contract)
        planned_raw = self.planned_raw[sent.data]
        gain_raw = self.luck.choice((planned_raw, planned_raw, planned_raw + 7_001, 0))
        if ts > route.deadline_ts or gain_raw < route.profit_min_raw:
            return Held(sent, False, ROUTE_GAS // 3, price_wei)
        return Held(sent, True, ROUTE_GAS, price_wei, gain_raw)

    def _add(self, held: Sequence[Held], ts: int) -> None:
        before = self.head
        self.blocks.append(
            Block(
                number=before.number + 1,
                hash=self._new_hash(),
                ts=ts,
                base_fee_wei=self.base_fee_wei,
                held=tuple(held),
                count=before.count + len(held),
                kept_raw=before.kept_raw + sum(one.gain_raw for one in held),
                spent_wei=before.spent_wei + sum(one.gas_used * one.price_wei for one in held),
            )
        )
        self.final = max(self.final, self.head.number - FINAL_DEPTH)
        used = self.head.count
        for one in [one for one in self.queue.values() if one.nonce < used]:
            del self.queue[one.hash]

    def _new_hash(self) -> str:
        self.made += 1
        return "0x" + keccak(b"%d" % self.made).hex()

    # ---- what it says ------------------------------------------------------------------------

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        """See `chains.ports.Node`."""
        return [self.answer(method, params) for method, params in asked]

    def answer(self, method: str, params: Sequence[Any]) -> Json | NodeError:
        """Answer one question as a node does."""
        answers: dict[str, Callable[..., Json | NodeError]] = {
            "eth_sendRawTransaction": lambda raw: self._take_in(Sent.parse(bytes.fromhex(raw[2:]))),
            "eth_getBlockByNumber": self._block_told,
            "eth_getTransactionReceipt": self._receipt_told,
            "eth_getTransactionByHash": self._transaction,
            "eth_getTransactionCount": lambda _, tag: self._at(tag, lambda one: hex(one.count)),
            "eth_getBalance": lambda _, tag: self._at(
                tag, lambda one: hex(self.funds_wei - one.spent_wei)
            ),
            "eth_getCode": lambda _, tag: self._at(tag, lambda _block: "0x" + self.code.hex()),
            "eth_call": self._call,
        }
        return answers[method](*params)

    def _block_told(self, tag: str, is_whole: bool) -> Json:  # noqa: FBT001 - as it is asked
        block = self._block(tag)
        return None if block is None else self._told(block, is_whole=is_whole)

    def _receipt_told(self, wanted: str) -> Json:
        found = self._holder(wanted)
        return None if found is None else self._receipt(*found)

    def _take_in(self, sent: Sent) -> Json | NodeError:
        if sent.hash in self.queue:
            return _no("transaction already imported")
        if sent.nonce < self.head.count:
            return _no("nonce too low")
        if sent.fee_wei < self.base_fee_wei:
            return _no("max fee per gas less than block base fee")
        if sent.fee_wei * sent.gas_limit > self.funds_wei - self.head.spent_wei:
            return _no("Insufficient funds for gas * price + value")
        rivals = [one for one in self.queue.values() if one.nonce == sent.nonce]
        if any(
            10 * sent.fee_wei < 11 * one.fee_wei or 10 * sent.tip_wei < 11 * one.tip_wei
            for one in rivals
        ):
            return _no("replacement transaction underpriced")
        for one in rivals:
            del self.queue[one.hash]
        self.queue[sent.hash] = sent
        self.accepted.add(sent.hash)
        return sent.hash

    def _block(self, tag: str) -> Block | None:
        if tag == "latest":
            return self.head
        number = self.final if tag == "finalized" else int(tag, 16)
        return self.blocks[number] if number < len(self.blocks) else None

    def _at(self, tag: str, what: Callable[[Block], Json]) -> Json | NodeError:
        block = self._block(tag)
        return _no(f"block {tag} is not known") if block is None else what(block)

    def _call(self, call: dict[str, str], tag: str) -> Json | NodeError:
        if call == recovery_call(self.contract):
            return "0x" + self.recovery[2:].rjust(64, "0")
        assert call == balance_call(self.token, self.recovery), call
        return self._at(tag, lambda block: f"0x{block.kept_raw:064x}")

    def _holder(self, wanted: str) -> tuple[Block, Held] | None:
        found = [(block, one) for block, one in self.holders() if one.sent.hash == wanted]
        return found[0] if found else None

    def _transaction(self, wanted: str) -> Json:
        if wanted in self.queue:
            return {**self._body(self.queue[wanted]), "blockHash": None}
        found = self._holder(wanted)
        return None if found is None else {**self._body(found[1].sent), "blockHash": found[0].hash}

    def _body(self, sent: Sent) -> dict[str, Json]:
        return {"hash": sent.hash, "nonce": hex(sent.nonce), "from": self.wallet, "to": sent.to}

    def _told(self, block: Block, *, is_whole: bool) -> dict[str, Json]:
        return {
            "number": hex(block.number),
            "hash": block.hash,
            "parentHash": self.blocks[block.number - 1].hash if block.number else "0x" + "00" * 32,
            "timestamp": hex(block.ts),
            "baseFeePerGas": hex(block.base_fee_wei),
            "gasUsed": hex(FEE_BLOCK_GAS),
            "gasLimit": hex(GAS_LIMIT),
            "extraData": "0x",
            "miner": "0x" + "0" * 40,
            "mixHash": "0x" + "00" * 32,
            "transactions": [
                self._body(one.sent) if is_whole else one.sent.hash for one in block.held
            ],
        }

    def _receipt(self, block: Block, held: Held) -> dict[str, Json]:
        return {
            "transactionHash": held.sent.hash,
            "blockNumber": hex(block.number),
            "blockHash": block.hash,
            "from": self.wallet,
            "to": held.sent.to,
            "status": hex(held.is_success),
            "gasUsed": hex(held.gas_used),
            "effectiveGasPrice": hex(held.price_wei),
            "logs": list(self._events(held)),
        }

    def _events(self, held: Held) -> list[Json]:
        if not held.gain_raw:
            return []
        route = decode(held.sent.data, contract=self.contract)
        first = route.hops[0]
        return [
            _transfer(first.token_out, first.pool, self.contract, 2_500 * 10**6),
            _transfer(self.token, self.contract, self.recovery, held.gain_raw),
        ]


def _transfer(token: str, source: str, target: str, amount_raw: int) -> dict[str, Json]:
    return {
        "address": token,
        "topics": [
            "0x" + TRANSFER.hex(),
            "0x" + source[2:].rjust(64, "0"),
            "0x" + target[2:].rjust(64, "0"),
        ],
        "data": f"0x{amount_raw:064x}",
    }


def _no(text: str) -> NodeError:
    return NodeError(Refusal.REFUSED, text)
