"""The contract's compiled form: what deploys it, and what then has to be at its address.

It is in the repository, so that no compiler is needed to deploy or to check; a test builds the
sources anew and compares.
"""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from eth_hash.auto import keccak

from engine.domain.errors import FatalError

ARTIFACTS: Final = Path(__file__).parents[2] / "contracts" / "artifacts"
DIRECT: Final = "FlashArbitrage"
UPGRADEABLE: Final = "UpgradeableFlashArbitrage"
PROXY: Final = "ERC1967Proxy"
CONTRACT_NAMES: Final = (DIRECT, UPGRADEABLE, PROXY)

_WORD: Final = 32


def creation_code(name: str, *arguments: str | bytes) -> bytes:
    """Return what is sent to deploy a contract.

    Args:
        name: `DIRECT` takes wrapped coin, recovery address and owner; `UPGRADEABLE` the first two.
            `PROXY` takes implementation and the bytes of its first call.
        arguments: of the constructor, addresses as 0x text.
    """
    head, tail = b"", b""
    for one in arguments:
        if isinstance(one, str):
            head += int(one, 16).to_bytes(_WORD)
        else:
            head += (len(arguments) * _WORD).to_bytes(_WORD)
            tail = len(one).to_bytes(_WORD) + one + bytes(-len(one) % _WORD)
    return _code(name, "bytecode") + head + tail


def deployed_code(name: str, immutables: Mapping[str, str]) -> bytes:
    """Return the code that a deployed contract has.

    Args:
        name: which contract.
        immutables: addresses by name: ``WRAPPED``, ``RECOVERY``, and of `UPGRADEABLE` ``__self``,
            its own address.

    Raises:
        FatalError: other ones are asked for.
    """
    code = bytearray(_code(name, "deployedBytecode"))
    places: Mapping[str, list[int]] = _artifact(name)["immutables"]
    if set(places) != set(immutables):
        raise FatalError(f"{name} has {sorted(places)} fixed in its code, not {sorted(immutables)}")
    for what, starts in places.items():
        for start in starts:
            code[start : start + _WORD] = int(immutables[what], 16).to_bytes(_WORD)
    return bytes(code)


def code_hash(name: str, immutables: Mapping[str, str]) -> str:
    """Return the hash of that code, as `EXTCODEHASH` and explorers have it: 0x and 64 digits."""
    return "0x" + keccak(deployed_code(name, immutables)).hex()


def abi(name: str) -> list[dict[str, Any]]:
    """Return a contract's interface."""
    found: list[dict[str, Any]] = _artifact(name)["abi"]
    return found


def _code(name: str, which: str) -> bytes:
    return bytes.fromhex(_artifact(name)[which][2:])


@cache
def _artifact(name: str) -> dict[str, Any]:
    path = ARTIFACTS / f"{name}.json"
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise FatalError(f"{path} is missing or broken; it belongs to the product") from error
    return found
