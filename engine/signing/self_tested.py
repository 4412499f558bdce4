"""What `make self-test` found last of our contract on each network: its own file of the signer.

The operator's step writes it, with the hash of the code that the network's node showed; the signer
reads it, and signs nothing for a network where nothing passed.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.errors import FatalError

FILE_NAME: Final = "self-tests.json"


class SelfTested(msgspec.Struct, frozen=True, kw_only=True):
    """A self-test of which all lines passed.

    Attributes:
        contract: address in lower case, `code_hash` keccak of the code that was there.
        wallet: that may send routes and pause.
        funds_wei: what the wallet had for gas.
    """

    chain_id: int
    contract: str
    code_hash: str
    wallet: str
    funds_wei: int
    at_ns: int


def read_self_tests(folder: Path) -> dict[str, SelfTested]:
    """Return what passed, by the network's name; nothing where there is no file.

    Raises:
        FatalError: the file cannot be understood.
    """
    path = folder / FILE_NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, SelfTested])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise FatalError(f"{path} cannot be read ({error}): remove it, and test again") from error


def keep_self_test(folder: Path, network: str, passed: SelfTested | None) -> None:
    """Keep what passed on a network in place of what was there; None: that it failed.

    Raises:
        FatalError: it cannot be written.
    """
    known: Mapping[str, SelfTested] = read_self_tests(folder)
    kept = {name: one for name, one in known.items() if name != network}
    if passed is not None:
        kept[network] = passed
    path = folder / FILE_NAME
    aside = folder / f".{FILE_NAME}.{secrets.token_hex(4)}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(file, "wb") as opened:
            opened.write(msgspec.json.encode(kept))
            opened.flush()
            os.fsync(opened.fileno())
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise FatalError(f"{path} cannot be written: {error.strerror}") from error
