"""A node that has one real block of Ethereum and the one before it, as far as pairs go.

What it says of the block is recorded: its number and hash, the transactions' hashes and places, and
each pair's events, which the recorded calls say to the unit (see `cut.py`). Its parent's hash, the
filter of these events and, where the recording lacks it, the time are made up.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eth_abi.abi import decode, encode

from engine.chains.following.blooms import bloom_of
from engine.chains.ports import Log
from engine.chains.rpc import multicall
from engine.chains.rpc.parsing import parse_log
from engine.sandbox.world.abi import call_data, topic
from tests.chains.real_blocks.recorded import Act, RealBlock
from tests.chains.rpc.pretend_node import NodeSaysNoError, PretendNode

FIRST_S: Final = 1_598_000_000
BLOCK_S: Final = 13
CHANGES: Final = ("swap", "mint", "burn", "sync")
SYNC: Final = topic("Sync(uint112,uint112)")
SWAP: Final = topic("Swap(address,uint256,uint256,uint256,uint256,address)")
GET_RESERVES: Final = call_data("getReserves()")
Json = dict[str, Any]
Reserves = dict[str, tuple[int, int]]


def raw(act: Act) -> tuple[int, int]:
    return int(act.raw[0]), int(act.raw[1])


def reserves_before(acts: Sequence[Act]) -> Reserves:
    """Return what pairs held before acts: as one answered, else less what was paid in them."""
    before: Reserves = {}
    paid: Reserves = {}
    for act in acts:
        if act.pair in before:
            continue
        now, already = raw(act), paid.get(act.pair, (0, 0))
        match act.kind:
            case "paid":
                paid[act.pair] = (already[0] + now[0], already[1] + now[1])
            case "reserves":
                before[act.pair] = now
            case _:
                outs = [int(one) for one in act.outs] or [0, 0]
                before[act.pair] = (
                    now[0] + outs[0] - already[0],
                    now[1] + outs[1] - already[1],
                )
    return before


def reserves_after(block: RealBlock) -> Reserves:
    """Return what pairs hold after a block."""
    changes = {act.pair: raw(act) for act in block.acts if act.kind in CHANGES}
    return reserves_before(block.acts) | changes


def events_of(block: RealBlock) -> list[Json]:
    """Return the pairs' events as a node tells them: `Sync` at each change, `Swap` after one's."""
    told: list[Json] = []
    held = reserves_before(block.acts)
    for act in block.acts:
        if act.kind not in CHANGES:
            continue
        was, now = held[act.pair], raw(act)
        held[act.pair] = now
        told.append(_event(block, act, len(told), [SYNC], now))
        if act.kind == "swap":
            outs = [int(one) for one in act.outs]
            kept = [one - out for one, out in zip(was, outs, strict=True)]
            ins = [max(one - left, 0) for one, left in zip(now, kept, strict=True)]
            people = ["0x" + one[2:].rjust(64, "0") for one in (act.sender, act.receiver)]
            told.append(_event(block, act, len(told), [SWAP, *people], (*ins, *outs)))
    return told


def _event(
    block: RealBlock, act: Act, index: int, topics: Sequence[str], words: Sequence[int]
) -> Json:
    return {
        "address": act.pair,
        "topics": list(topics),
        "data": "0x" + b"".join(one.to_bytes(32) for one in words).hex(),
        "blockNumber": hex(block.number),
        "blockHash": block.hash,
        "transactionHash": block.tx_hashes[act.tx],
        "transactionIndex": hex(act.tx),
        "logIndex": hex(index),
        "removed": False,
    }


class RealNode:
    """Answers for two blocks; it begins at the one before the recorded one.

    Attributes:
        events: of the recorded block.
        answers: what contracts say besides reserves, by contract and call, before and after.
    """

    def __init__(self, served: PretendNode, block: RealBlock, more: Sequence[Json] = ()) -> None:
        self.events = [*events_of(block), *more]
        self.answers: dict[tuple[str, str], bytes] = {}
        self._served = served
        made_at_s = block.made_at_s or FIRST_S + BLOCK_S * (block.number - 10_900_000)
        parent = "0x" + hashlib.sha256(block.hash.encode()).hexdigest()
        grandparent = "0x" + hashlib.sha256(parent.encode()).hexdigest()
        logs = [parse_log(one) for one in self.events]
        self.before = _header(block.number - 1, parent, grandparent, made_at_s - BLOCK_S, [])
        self.after = _header(block.number, block.hash, parent, made_at_s, logs)
        self._reserves: Mapping[str, Reserves] = {
            self.before["hash"]: reserves_before(block.acts),
            self.after["hash"]: reserves_after(block),
        }
        served.blocks[:] = [self.before]
        served.methods |= {
            "eth_blockNumber": lambda: served.blocks[-1]["number"],
            "eth_getBlockByNumber": self._by_number,
            "eth_getLogs": self._logs,
            "eth_getCode": lambda *_: "0x01",
            "eth_call": self._call,
        }

    def go_on(self) -> None:
        """Have the recorded block, and tell it."""
        self._served.tell(self.after)

    def _by_number(self, number: str, _: bool) -> Any:  # noqa: FBT001 - the protocol's
        if not number.startswith("0x"):
            return self._served.blocks[-1]
        return next((one for one in self._served.blocks if one["number"] == number), None)

    def _logs(self, asked: Json) -> list[Json]:
        if asked["blockHash"] != self.after["hash"]:
            return []
        wanted = set(asked.get("topics", [[]])[0])
        return [one for one in self.events if not wanted or one["topics"][0] in wanted]

    def _call(self, call: Json, at: Json) -> str:
        if call["to"] != multicall.ADDRESS:
            answer = self._answer(call["to"], call["data"], at["blockHash"])
            if answer is None:
                raise NodeSaysNoError(3, "execution reverted")
            return "0x" + answer.hex()
        (calls,) = decode(["(address,bool,bytes)[]"], bytes.fromhex(call["data"][10:]))
        said = [self._answer(to, "0x" + data.hex(), at["blockHash"]) for to, _, data in calls]
        outcomes = [(one is not None, one or b"") for one in said]
        return "0x" + encode(["(bool,bytes)[]"], [outcomes]).hex()

    def _answer(self, to: str, data: str, block_hash: str) -> bytes | None:
        if block_hash not in self._reserves:
            raise NodeSaysNoError(-32000, "header not found")
        if data == GET_RESERVES and to in self._reserves[block_hash]:
            return encode(["uint112", "uint112", "uint32"], [*self._reserves[block_hash][to], 0])
        return self.answers.get((to, data))


def _header(
    number: int, block_hash: str, parent_hash: str, made_at_s: int, logs: Sequence[Log]
) -> Json:
    return {
        "number": hex(number),
        "hash": block_hash,
        "parentHash": parent_hash,
        "timestamp": hex(made_at_s),
        "logsBloom": "0x" + bloom_of(logs).to_bytes(256).hex(),
        "transactions": [],
    }


def contracts(acts: Sequence[Act], kind: str) -> Iterator[tuple[int, Act]]:
    """Give the acts of a kind, each with how many changes of its pair come before it."""
    changes: dict[str, int] = {}
    for act in acts:
        if act.kind == kind:
            yield changes.get(act.pair, 0), act
        if act.kind in CHANGES:
            changes[act.pair] = changes.get(act.pair, 0) + 1
