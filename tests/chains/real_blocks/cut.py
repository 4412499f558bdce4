"""Cuts out of recorded traces of Ethereum's blocks what pairs and one concentrated pool did.

``python -m tests.chains.real_blocks.cut FILES`` takes those of flashbots/mev-inspect-py's
``tests/blocks``, and of mev-inspect-rs' ``res``.
A pair tells the balances that it reads (`Sync`) and the amounts that it is called with (`Swap`);
so the traces say each of its events to the unit. Kept are pairs whose address follows from tokens
and a proven hash of code, and of what was called only what went through.
"""

import json
import lzma
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from engine.chains.discovery.addresses import derived_address
from engine.chains.discovery.found import FoundPool
from engine.chains.discovery.tables.ethereum import DEXES
from engine.domain.dexes import Dex
from engine.domain.pools import Protocol
from tests.chains.real_blocks.node import reserves_before
from tests.chains.real_blocks.recorded import FILE, Act, Act3, Pair, RealBlock, packed

PAIRS: Final = tuple(
    dex
    for dex in DEXES
    if dex.is_proven and dex.protocol in {Protocol.UNISWAP_V2, Protocol.SUSHISWAP_V2}
)
SWAP, MINT, BURN, SYNC = "0x022c0d9f", "0x6a627842", "0x89afcb44", "0xfff6cae9"
GET_RESERVES, BALANCE_OF = "0x0902f1ac", "0x70a08231"
TRANSFER, TRANSFER_FROM = "0xa9059cbb", "0x23b872dd"
SLOT0, LIQUIDITY, SWAP3 = "0x3850c7bd", "0x1a686502", "0x128acb08"
KINDS: Final[Mapping[str, Literal["swap", "mint", "burn", "sync"]]] = {
    SWAP: "swap",
    MINT: "mint",
    BURN: "burn",
    SYNC: "sync",
}
CONCENTRATED: Final = {
    "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640": 500,
    "0x8ad599c3a0ff1de082011efddc58f1908eb6e6d8": 3_000,
    "0xcbcdf9626bc03e24f779434178a73a0b4bad62ed": 3_000,
}
"""Fees of pools of V3 that contracts asked for price and liquidity in blocks with their swaps."""

Trace = Mapping[str, Any]


def main(paths: Sequence[Path]) -> None:
    """Write the file."""
    blocks = [cut(json.loads(lzma.decompress(path.read_bytes()))) for path in paths]
    by_hash = {one.hash: one for one in blocks}  # one of them is there twice
    FILE.write_bytes(packed(sorted(by_hash.values(), key=lambda one: one.number)))


def cut(block: dict[str, Any] | list[Trace]) -> RealBlock:
    """Take what is needed of a block, or of a list of one's traces."""
    if isinstance(block, list):
        block = {"traces": [{snake(name): value for name, value in one.items()} for one in block]}
    calls = [one for one in in_order(block["traces"]) if one["type"] == "call"]
    acts: list[Act] = []
    pairs: dict[str, Pair] = {}
    others: list[Act3] = []
    for trace in calls:
        pair = pair_of(trace, calls)
        if pair is not None:
            pairs[pair.address] = pair
    for trace in calls:
        acts += act_of(trace, calls, pairs)
        others += act3_of(trace)
    there = {pair for pair, held in reserves_before(acts).items() if all(held)}
    acts = [act for act in acts if act.pair in there]  # one of them was made in its block
    others = [act for act in others if says_enough(act.pool, others)]
    told = {act.tx for act in acts} | {act.tx for act in others}
    return RealBlock(
        number=calls[0]["block_number"],
        hash=calls[0]["block_hash"],
        made_at_s=block.get("block_timestamp", 0),
        tx_hashes={
            one["transaction_position"]: one["transaction_hash"]
            for one in calls
            if one["transaction_position"] in told
        },
        pairs=[pair for address, pair in pairs.items() if address in there],
        acts=acts,
        acts3=others,
    )


def in_order(traces: Sequence[Trace]) -> Iterator[Trace]:
    """Give calls as they end, which is when they tell; reads and payments need no more."""
    failed: list[tuple[str, list[int]]] = []
    open_calls: list[Trace] = []
    for trace in traces:
        place = trace["trace_address"]
        while open_calls and not is_within(trace, open_calls[-1]):
            yield open_calls.pop()
        if trace.get("transaction_hash") is None:
            continue  # a reward
        if trace.get("error") or any(
            tx == trace["transaction_hash"] and place[: len(at)] == at for tx, at in failed
        ):
            failed.append((trace["transaction_hash"], place))
            continue
        open_calls.append(trace)
    yield from reversed(open_calls)


def is_within(trace: Trace, outer: Trace) -> bool:
    at = outer["trace_address"]
    is_same = trace.get("transaction_hash") == outer["transaction_hash"]
    return is_same and trace["trace_address"][: len(at)] == at and trace is not outer


def snake(name: str) -> str:
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name)


def selector(trace: Trace) -> str:
    return str(trace["action"].get("input", ""))[:10]


def word(text: str, index: int, start: int = 2) -> int:
    return int(text[start + 64 * index : start + 64 * (index + 1)] or "0", 16)


def answer(trace: Trace) -> str:
    return str((trace.get("result") or {}).get("output") or "0x")


def balances(of: Trace, calls: Sequence[Trace]) -> list[tuple[str, int]]:
    """Return what a pair read of its two tokens last within a call of it."""
    own, depth = of["action"]["to"], len(of["trace_address"]) + 1
    read = [
        (one["action"]["to"], word(answer(one), 0))
        for one in calls
        if is_within(one, of)
        and len(one["trace_address"]) == depth
        and selector(one) == BALANCE_OF
        and one["action"]["from"] == own
    ]
    return read[-2:]


def pair_of(trace: Trace, calls: Sequence[Trace]) -> Pair | None:
    if selector(trace) not in KINDS:
        return None
    read = balances(trace, calls)
    if len(read) != 2:
        return None
    tokens = (read[0][0], read[1][0])
    for dex in PAIRS:
        if derived(dex, tokens) == trace["action"]["to"]:
            return Pair(dex=dex.name, address=trace["action"]["to"], tokens=tokens)
    return None


def derived(dex: Dex, tokens: tuple[str, str]) -> str:
    return derived_address(
        FoundPool(dex=dex, address="", tokens=tokens, fee_pips=dex.fee_pips, block=0)
    )


def act_of(trace: Trace, calls: Sequence[Trace], pairs: Mapping[str, Pair]) -> list[Act]:
    """Return what a call says of a pair."""
    action, kind = trace["action"], selector(trace)
    tx, to, text = trace["transaction_position"], action["to"], action.get("input", "")
    if to in pairs and kind == GET_RESERVES:
        said = answer(trace)
        return [Act(tx=tx, kind="reserves", pair=to, raw=[str(word(said, 0)), str(word(said, 1))])]
    if to in pairs and kind in KINDS:
        raw = [str(amount) for _, amount in balances(trace, calls)]
        outs = [str(word(text, index, 10)) for index in range(2)] if kind == SWAP else []
        receiver = "0x" + text[10 + 64 * 3 - 40 : 10 + 64 * 3] if kind == SWAP else action["from"]
        return [
            Act(
                tx=tx,
                kind=KINDS[kind],
                pair=to,
                raw=raw,
                outs=outs,
                sender=action["from"],
                receiver=receiver,
            )
        ]
    if kind in {TRANSFER, TRANSFER_FROM} and action["callType"] == "call":
        at = 0 if kind == TRANSFER else 1
        paid = pairs.get("0x" + text[10 + 64 * at + 24 : 10 + 64 * (at + 1)])
        if paid is not None and to in paid.tokens:
            raw = ["0", "0"]
            raw[paid.tokens.index(to)] = str(word(text, at + 1, 10))
            return [Act(tx=tx, kind="paid", pair=paid.address, raw=raw)]
    return []


def act3_of(trace: Trace) -> list[Act3]:
    """Return what a call says of a concentrated pool."""
    pool = trace["action"]["to"]
    if pool not in CONCENTRATED:
        return []
    said, tx = answer(trace), trace["transaction_position"]
    match selector(trace):
        case one if one == SLOT0:
            return [
                Act3(tx=tx, pool=pool, kind="slot0", raw=[str(word(said, 0)), str(signed(said, 1))])
            ]
        case one if one == LIQUIDITY:
            return [Act3(tx=tx, pool=pool, kind="liquidity", raw=[str(word(said, 0))])]
        case one if one == SWAP3:
            return [
                Act3(
                    tx=tx, pool=pool, kind="swap", raw=[str(signed(said, 0)), str(signed(said, 1))]
                )
            ]
        case _:
            return []


def says_enough(pool: str, acts: Sequence[Act3]) -> bool:
    """Say whether a pool's swaps can be reckoned: of most blocks nobody asked for what it takes."""
    return {act.kind for act in acts if act.pool == pool} == {"slot0", "liquidity", "swap"}


def signed(text: str, index: int) -> int:
    number = word(text, index)
    return number - 2**256 if number >> 255 else number


if __name__ == "__main__":
    main([Path(one) for one in sys.argv[1:]])
