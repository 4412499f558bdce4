"""The key that chat and signer share: made by whoever starts both, anew for each run.

It is handed to the two in their environments, is in no file, and no other role is given it. Both
keep their memory, where it stays, from this user's other processes.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from engine.domain.words import KEY_BYTES

WORD_KEY_ENVIRONMENT_NAME: Final = "SYNDICATE_INTERNAL_WORD_KEY"

_Environment = Callable[[], Mapping[str, str]]


def new_word_key() -> str:
    """Return a new key as it is handed on."""
    return secrets.token_hex(KEY_BYTES)


def told_key(environment: _Environment, key: str) -> _Environment:
    """Return what makes an environment, with the key in it."""
    return partial(_with_key, environment, key)


def word_key(environment: Mapping[str, str]) -> bytes | None:
    """Return the key that this process was given, None for none; it is handed on to nobody."""
    text = environment.get(WORD_KEY_ENVIRONMENT_NAME)
    os.environ.pop(WORD_KEY_ENVIRONMENT_NAME, None)
    if text is None or len(text) != 2 * KEY_BYTES:
        return None
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _with_key(environment: _Environment, key: str) -> Mapping[str, str]:
    return {**environment(), WORD_KEY_ENVIRONMENT_NAME: key}
