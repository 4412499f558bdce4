"""The name by which relays know us: a key of its own that holds no money and signs nothing else.

It is kept, so that what was bid before a crash can be taken back after it.
"""

import secrets
from pathlib import Path
from typing import Final

from eth_keys.constants import SECPK1_N

from engine.domain.errors import FatalError
from engine.domain.replaced_file import replace_file

_BYTES: Final = 32


def relay_name(path: Path) -> bytes:
    """Return the key of the name in a file, which is made, readable for us alone, if it is missing.

    Raises:
        FatalError: the file cannot be read or made, or holds no key.
    """
    try:
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            key = _made(path)
    except OSError as error:
        raise FatalError(f"the relay's name cannot be kept at {path}: {error}") from error
    if len(key) != _BYTES or not 0 < int.from_bytes(key) < SECPK1_N:
        raise FatalError(f"{path} holds no name for relays; once it is removed, a new one is made")
    return key


def _made(path: Path) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    key = (secrets.randbelow(SECPK1_N - 1) + 1).to_bytes(_BYTES)
    replace_file(path, key)
    return key
