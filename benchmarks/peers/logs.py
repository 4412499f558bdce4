"""Logs of a chain taken by others: web3.py's decoding, degenbot's whole way into its pools.

All take the same `Sync` events as a node writes them, and end with the same reserves. web3.py only
decodes; it is given its event ready made.
"""

import random
from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec
from web3 import Web3
from web3._utils.method_formatters import log_entry_formatter

from benchmarks.chain_logs import FEE, RESERVES_RAW, Followed, pair, pair_address, sync_log
from benchmarks.harness import WARM_UP_CALLS, Row, row, time_calls
from benchmarks.peers.ask import ask
from benchmarks.peers.compare import NOT_HERE, Comparison, compare
from benchmarks.peers.worker import Task
from engine.pools.constant_product import ConstantProductState

LOGS: Final = 3_000
PAIRS: Final = 20
LOGS_OF_A_BLOCK: Final = 20
UNDONE_BLOCKS: Final = 20
AGREED: Final = "all reserves equal"
SYNC_ABI: Final[dict[str, Any]] = {
    "type": "event",
    "name": "Sync",
    "anonymous": False,
    "inputs": [
        {"name": "reserve0", "type": "uint112", "indexed": False},
        {"name": "reserve1", "type": "uint112", "indexed": False},
    ],
}


def measure_all() -> list[Comparison]:
    """Take the same logs in all of them."""
    logs, pairs = _logs(), [pair(number) for number in range(PAIRS)]
    text_ns, decoded_ns = _ours(logs, pairs)
    wanted = [_reserves(one) for one in pairs]
    by_web3 = _by_web3("a Sync from its text to the pair's reserves", text_ns, logs, wanted)
    task = "a Sync from its fields, JSON decoded, to the pair's reserves"
    return [by_web3, _by_degenbot(task, decoded_ns, logs, wanted)]


def rows() -> list[Row]:
    """Return the same as rows of our own figures, each with a peer's ratio in this very run.

    Raises:
        RuntimeError: a peer ends with other reserves.
    """
    logs, pairs = _logs(), [pair(number) for number in range(PAIRS)]
    text_ns, decoded_ns = _ours(logs, pairs)
    wanted = [_reserves(one) for one in pairs]
    found = []
    for name, ours_ns, by in (("text", text_ns, _by_web3), ("fields", decoded_ns, _by_degenbot)):
        other = by(name, ours_ns, logs, wanted)
        if other.ratio is None:
            continue
        if other.agreement != AGREED:
            raise RuntimeError(f"{other.peer}: {other.agreement}")
        own = row(f"chains.peers.Sync from {name} to reserves", ours_ns)
        found.append(replace(own, peer=other.peer, ratio=other.ratio))
    return found


def _logs() -> list[dict[str, Any]]:
    chance = random.Random(7)
    return [
        sync_log(
            chance.randrange(PAIRS),
            (RESERVES_RAW[0] + number, RESERVES_RAW[1] - number),
            block=1 + number // LOGS_OF_A_BLOCK,
            index=number % LOGS_OF_A_BLOCK,
        )
        for number in range(LOGS)
    ]


def _ours(logs: list[dict[str, Any]], pairs: list[Followed]) -> tuple[Any, Any]:
    """Return how long each event takes us from its text, and from its decoded fields."""
    by_address = {one.pool.address: one for one in pairs}
    texts = [(by_address[log["address"]], msgspec.json.encode(log)) for log in logs]
    text_ns = time_calls([partial(followed.take, text) for followed, text in texts])
    decoded_ns = time_calls([partial(by_address[log["address"]].take_decoded, log) for log in logs])
    return text_ns[WARM_UP_CALLS:], decoded_ns[WARM_UP_CALLS:]


def _reserves(followed: Followed) -> list[int]:
    assert isinstance(followed.state, ConstantProductState)
    return [followed.state.reserve0_raw, followed.state.reserve1_raw]


def _by_web3(task: str, ours: Any, logs: list[dict[str, Any]], wanted: list[Any]) -> Comparison:
    """Decode alone, from the text on; it keeps no pools."""
    event = Web3().eth.contract(abi=[SYNC_ABI]).events.Sync()
    held: dict[str, list[int]] = {}

    def take(text: bytes) -> None:
        told = event.process_log(log_entry_formatter(msgspec.json.decode(text)))
        held[told["address"].lower()] = [*told["args"].values()]

    peer_ns = time_calls([partial(take, msgspec.json.encode(log)) for log in logs])
    is_same = [held[pair_address(number)] for number in range(PAIRS)] == wanted
    name = "web3.py 8, decoding alone"
    return compare(task, ours, name, peer_ns[WARM_UP_CALLS:], agreement=_said(is_same=is_same))


def _by_degenbot(task: str, ours: Any, logs: list[dict[str, Any]], wanted: list[Any]) -> Comparison:
    said: Task = {
        "fee": [FEE[1] - FEE[0], FEE[1]],
        "pairs": [
            {
                "address": pair_address(number),
                "tokens": ["0x" + "11" * 20, "0x" + "33" * 20],
                "reserves_raw": [*RESERVES_RAW],
            }
            for number in range(PAIRS)
        ],
        "logs": [
            [log["address"], log["topics"], log["data"], int(log["blockNumber"], 16)]
            for log in logs
        ],
        "undone_from": LOGS // LOGS_OF_A_BLOCK - UNDONE_BLOCKS,
    }
    answers = ask("degenbot-06", "degenbot_logs", [said])
    name = "degenbot 0.6 (Rust)"
    if answers is None:
        return compare(task, ours, name, None, agreement=NOT_HERE)
    [answer] = answers
    is_same = answer["reserves_raw"] == wanted
    peer_ns = answer["durations_ns"][WARM_UP_CALLS:]
    return compare(task, ours, name, peer_ns, agreement=_said(is_same=is_same))


def _said(*, is_same: bool) -> str:
    return AGREED if is_same else "RESERVES DIFFER"
