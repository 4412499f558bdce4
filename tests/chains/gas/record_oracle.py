"""Records what the real `GasPriceOracle` answers: `python -m tests.chains.gas.record_oracle PATH`.

PATH is of the unpacked npm package `@eth-optimism/contracts-bedrock` (0.17.3, MIT): its contracts
are put where the OP stack has them, on a local node, and asked. The answers are in the repository,
the contracts are not.
"""

import json
import lzma
import random
import sys
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from engine.chains.gas.data_fee import Fork
from engine.chains.gas.data_fee_calls import GAS_PRICE_ORACLE, L1_BLOCK
from engine.chains.gas.route_bytes import ROUTE_LEGS, unsigned_route
from tests.chains.conftest import start_local

VECTORS: Final = Path(__file__).parents[2] / "data" / "chains" / "gas_price_oracle.jsonl.xz"
DEPOSITOR: Final = "0xdeaddeaddeaddeaddeaddeaddeaddeaddead0001"

TERMS: Final = (
    (7_123_456_789, 123_456, 5_227, 1_014_213),
    (1, 10**12, 0, 4_000_000_000),
    (90_000_000_000, 1, 268_435_455, 0),
)
"""Base fee and blob base fee of L1 in wei, and their scalars."""


def samples() -> list[bytes]:
    """Return transactions, and bytes that compress in every way."""
    chance = random.Random(3)
    made = [
        bytes(chance.choices(range(chance.choice((2, 4, 256))), k=chance.randrange(900)))
        for _ in range(40)
    ]
    repeated = [bytes([n]) * length for n, length in ((0, 12), (0, 13), (0, 1_000), (255, 9_000))]
    return [b"", *repeated, *(unsigned_route(10, legs) for legs in ROUTE_LEGS), *made]


def main(package: Path) -> None:
    """Ask, and write."""
    lines = []
    for base_fee, blob_base_fee, base_scalar, blob_scalar in TERMS:
        world = start_local("optimism")
        ask = world.rpc.ask
        for name, address in (("GasPriceOracle", GAS_PRICE_ORACLE), ("L1Block", L1_BLOCK)):
            artifact = json.loads((package / f"forge-artifacts/{name}.sol/{name}.json").read_text())
            ask("anvil_setCode", address, artifact["deployedBytecode"]["object"])
        scalars = base_scalar << 96 | blob_scalar << 64
        for slot, value in ((1, base_fee), (7, blob_base_fee), (3, scalars)):
            ask("anvil_setStorageAt", L1_BLOCK, hex(slot), _word(value))
        ask("anvil_impersonateAccount", DEPOSITOR)
        ask("anvil_setBalance", DEPOSITOR, hex(10**20))
        for fork in (Fork.ECOTONE, Fork.FJORD):
            act = {"from": DEPOSITOR, "to": GAS_PRICE_ORACLE, "data": _call(f"set{fork.title()}()")}
            ask("eth_sendTransaction", act)
            world.mine()
            for data in samples():
                asked = _call("getL1Fee(bytes)", encode(["bytes"], [data]))
                fee = ask("eth_call", {"to": GAS_PRICE_ORACLE, "data": asked}, "latest")
                terms = [fork.value, base_fee, blob_base_fee, base_scalar, blob_scalar]
                lines.append(json.dumps([terms, data.hex(), int(_text(fee), 16)]))
        world.close()
    with lzma.open(VECTORS, "wt") as file:
        file.write("\n".join(lines) + "\n")
    print(len(lines), "answers")


def _call(signature: str, arguments: bytes = b"") -> str:
    return "0x" + (keccak(text=signature)[:4] + arguments).hex()


def _word(value: int) -> str:
    return "0x" + value.to_bytes(32).hex()


def _text(said: Any) -> str:
    assert isinstance(said, str)
    return said


if __name__ == "__main__":
    main(Path(sys.argv[1]))
