"""The contracts' compiled forms, as their makers published them."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from eth_hash.auto import keccak

from engine.sandbox.world.packages import PACKAGES, NoWorldError

_MULTICALL: Final = re.compile(r"multicall3Bytecode = '(0x[0-9a-f]+)'")


Change = tuple[str, str, int]
"""Digits of a code, what takes their place, and how often they have to be there."""


@cache
def bytecode(path: str, *, libraries: tuple[tuple[str, str], ...] = ()) -> str:
    """Return what deploys a contract, 0x and digits.

    Args:
        path: of the artifact, from `contracts/node_modules` on.
        libraries: names and addresses of the libraries that it is linked with.

    Raises:
        NoWorldError: it is not there, or holds no code.
    """
    found = artifact(path)
    code = found.get("bytecode") or found.get("evm", {}).get("bytecode", "")
    links: Mapping[str, Any] = found.get("linkReferences", {})
    if isinstance(code, dict):
        links = code.get("linkReferences", links)
        code = code.get("object", "")
    code = "0x" + str(code).removeprefix("0x")
    for by_name in links.values():
        for name, places in by_name.items():
            address = dict(libraries)[name].removeprefix("0x").lower()
            for place in places:
                start = 2 + place["start"] * 2
                code = code[:start] + address + code[start + 40 :]
    if not re.fullmatch(r"0x(?:[0-9a-fA-F]{2})+", code):
        raise NoWorldError(f"{path} in contracts/node_modules holds no code of a contract.")
    return code


def hash_of(code: str) -> str:
    """Return the hash of a code, such as pools' addresses are derived with."""
    return "0x" + keccak(bytes.fromhex(digits_of(code))).hex()


def digits_of(code: str) -> str:
    """Return its digits alone."""
    return code.removeprefix("0x")


def with_constants(code: str, changes: tuple[Change, ...]) -> str:
    """Return code with other constants.

    Raises:
        NoWorldError: what is to be changed is not there so often.
    """
    for old, new, count in changes:
        if code.count(old) != count:
            raise NoWorldError(f"A contract has {old} {code.count(old)} times, not {count}.")
        code = code.replace(old, new)
    return code


@cache
def multicall3() -> str:
    """Return what deploys Multicall3, which is on every chain at the same address."""
    text = (PACKAGES / "viem" / "_cjs" / "constants" / "contracts.js").read_text()
    found = _MULTICALL.search(text)
    if found is None:
        raise NoWorldError("viem in contracts/node_modules holds no code of Multicall3.")
    return found[1]


def artifact(path: str) -> dict[str, Any]:
    """Return an artifact as it is.

    Raises:
        NoWorldError: it is not there.
    """
    try:
        content = json.loads((PACKAGES / path).read_bytes())
    except (OSError, ValueError) as error:
        raise NoWorldError(
            f"There is no local chain: {path} is missing in contracts/node_modules;"
            " `make contracts` installs it where Node can be had."
        ) from error
    if not isinstance(content, dict):
        raise NoWorldError(f"{path} in contracts/node_modules holds no code of a contract.")
    return content
