"""Pending transactions: from what a node tells to what it will do to pools.

`python -m benchmarks.pending_calls`. The calls are 50 recorded ones of Ethereum; those of pairs
are predicted too, from the reserves that they found.
"""

import json
import lzma
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Final

from benchmarks.harness import WARM_UP_CALLS, Row, machine, measure, print_table
from engine.chains.discovery.tables.ethereum import DEXES
from engine.chains.pending.decode import decode
from engine.chains.pending.desk import PendingDesk
from engine.chains.pending.pool_addresses import pool_of
from engine.chains.pending.router_list import DEPLOYED, routers_of
from engine.chains.pending.whales import WhaleTerms
from engine.domain.assets import AssetCode
from engine.domain.chains import CHAINS
from engine.domain.pools import Pool, Protocol
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState

CALLS: Final = WARM_UP_CALLS + 2_000
FILE: Final = Path(__file__).parents[1] / "tests" / "data" / "chains" / "router_calls.jsonl.xz"
CHAIN: Final = "ethereum"
ROUTERS: Final = routers_of(DEPLOYED, DEXES, chain=CHAIN, weth=CHAINS[CHAIN].wrapped_native)
NOW_NS: Final = 1_600_000_000 * 10**9


class _Pairs:
    """All pairs that the recorded calls went through."""

    def __init__(self, calls: list[dict[str, Any]]) -> None:
        self._found: dict[str, tuple[Pool, PoolState]] = {}
        for call in calls:
            for address, (reserve0, reserve1) in call["reserves"].items():
                self._found[address] = (_pool(address), _state(int(reserve0), int(reserve1)))

    def find(self, address: str) -> tuple[Pool, PoolState] | None:
        return self._found.get(address)


def _pool(address: str) -> Pool:
    return Pool(
        chain=CHAIN,
        protocol=Protocol.UNISWAP_V2,
        address=address,
        tokens=((AssetCode("A"), 18), (AssetCode("B"), 18)),
        fee_ratio=Decimal("0.003"),
        gas_units=100_000,
    )


def _state(reserve0: int, reserve1: int) -> ConstantProductState:
    return ConstantProductState.of(
        reserve0_raw=reserve0, reserve1_raw=reserve1, fee0=Fraction(3, 1_000)
    )


def measure_all() -> list[Row]:
    """Measure decoding, and all that becomes of what a node tells."""
    recorded = [json.loads(line) for line in lzma.decompress(FILE.read_bytes()).splitlines()]
    pairs = _Pairs(recorded)
    desk = PendingDesk(
        routers=ROUTERS, pools=pairs, terms=WhaleTerms(), usd_of=lambda _asset, _amount: None
    )
    told = [_told(number, recorded[number % len(recorded)]) for number in range(CALLS)]
    elsewhere = [one | {"to": "0x" + "11" * 20, "hash": "0x1" + one["hash"][3:]} for one in told]
    return [
        measure("chains.pending.decoded", [partial(_decode, one) for one in _many(recorded)]),
        measure(
            "chains.pending.decoded, new tokens",
            [partial(_decode_anew, one) for one in _many(recorded)],
        ),
        measure("chains.pending.heard, calls no router", _heard(desk, elsewhere)),
        measure("chains.pending.heard and predicted", _heard(desk, told)),
    ]


def _many(recorded: list[dict[str, Any]]) -> list[dict[str, Any]]:
    parsed = [one | {"text": bytes.fromhex(one["input"][2:])} for one in recorded]
    return [parsed[number % len(parsed)] for number in range(CALLS)]


def _decode(call: dict[str, Any]) -> None:
    decode(
        call["text"],
        to=call["to"],
        sender=call["sender"],
        value_raw=int(call["value"]),
        routers=ROUTERS,
    )


def _decode_anew(call: dict[str, Any]) -> None:
    pool_of.cache_clear()
    _decode(call)


def _heard(desk: PendingDesk, told: list[dict[str, Any]]) -> list[Callable[[], object]]:
    return [partial(desk.hear, one, now_ns=NOW_NS, at_s=NOW_NS // 10**9) for one in told]


def _told(number: int, call: dict[str, Any]) -> dict[str, Any]:
    return {
        "hash": f"0x{number:064x}",
        "from": call["sender"],
        "to": call["to"],
        "nonce": hex(number),
        "value": hex(int(call["value"])),
        "input": call["input"],
        "gasPrice": "0x64",
    }


if __name__ == "__main__":
    print_table(measure_all())
    print(machine())
