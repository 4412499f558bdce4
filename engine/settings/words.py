"""What a refusal of a setting may repeat, and which known word was perhaps meant."""

import difflib
import re
from collections.abc import Iterable
from typing import Any, Final

from engine.domain.redaction import redact

WORD_LENGTH_MAX: Final = 12
"""Longer words that are no numbers may be secrets in a wrong place; they are not repeated."""

_NUMBER: Final = re.compile(r"-?[0-9][0-9_]*(\.[0-9]+)?")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[_.][A-Za-z0-9]+)*")


def shown_value(value: Any) -> str:
    """Return a setting's value as it may be repeated."""
    text = repr(value)
    return "a value that may be a secret" if looks_secret(text) else text


def shown_name(name: str) -> str:
    """Return the name of a setting, perhaps a misspelt one, as it may be repeated."""
    parts = re.split(r"[_.]", name)
    is_name = _NAME.fullmatch(name) is not None and all(len(p) <= WORD_LENGTH_MAX for p in parts)
    return name if is_name and redact(name) == name else "a name that may be a secret"


def looks_secret(text: str) -> bool:
    """Say whether a value holds a word that could be a secret."""
    words = re.split(r"[,=\s'\"{}\[\]-]+", text)
    return redact(text) != text or any(
        len(word) > WORD_LENGTH_MAX and not _NUMBER.fullmatch(word) for word in words
    )


def nearest_few(word: str, known: Iterable[str]) -> list[str]:
    """Return the three known words that look most like this one, in any case."""
    by_folded = {name.casefold(): name for name in known}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=3, cutoff=0.0)
    return [by_folded[name] for name in found]


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that looks most like this one, in any case."""
    by_folded = {name.casefold(): name for name in known}
    (found,) = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.0)
    return by_folded[found]
