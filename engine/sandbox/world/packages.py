"""Where node and contracts are: npm packages, fixed by `contracts/package-lock.json`."""

import platform
from pathlib import Path
from typing import Final

CONTRACTS: Final = Path(__file__).parents[3] / "contracts"
PACKAGES: Final = CONTRACTS / "node_modules"
LOCK: Final = CONTRACTS / "package-lock.json"

_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class NoWorldError(Exception):
    """There is no local chain here; the text is a sentence that tells why and what helps."""


def anvil_kind() -> str:
    """Return the name of the package with the node for this machine."""
    machine = _MACHINES.get(platform.machine().lower(), platform.machine())
    return f"anvil-{platform.system().lower()}-{machine}"


def anvil_path() -> Path:
    """Return the node's program.

    Raises:
        NoWorldError: it is not installed, or there is none for this machine.
    """
    kind = anvil_kind()
    path = PACKAGES / "@foundry-rs" / kind / "bin" / "anvil"
    if not path.is_file():
        raise NoWorldError(
            f"There is no local chain: {kind} is not installed in contracts/node_modules;"
            " `make contracts` installs it where Node can be had."
        )
    return path


def cannot_be_had() -> bool:
    """Say whether the set-up tried to install them and could not."""
    try:
        return (PACKAGES / ".installed").read_text().startswith("missing")
    except OSError:
        return False
