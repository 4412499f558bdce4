"""What a token says of itself, made harmless: text by a stranger, and a count of decimals.

Old tokens answer with 32 bytes in place of a string. Whatever cannot be shown in one short line of
plain letters is left out.
"""

from typing import Final

from engine.chains.families.words import WORD, unsigned
from engine.domain.errors import BadValueError
from engine.domain.pools import TOKEN_DECIMALS_MAX, TOKEN_DECIMALS_MIN

TEXT_BYTES_MAX: Final = 64
"""Of a longer text no more is looked at."""

TEXT_CHARACTERS_MAX: Final = 32

_STRING_AT: Final = 32


def text_of(answer: bytes | None) -> str:
    """Return a name or a symbol as far as it can be shown; nothing if it is none."""
    if answer is None or len(answer) < WORD:
        return ""
    raw = answer if len(answer) == WORD else _string(answer)
    text = raw.split(b"\0")[0][:TEXT_BYTES_MAX].decode("ascii", errors="replace")
    plain = "".join(one if one.isascii() and one.isprintable() else "?" for one in text)
    return plain.strip()[:TEXT_CHARACTERS_MAX]


def decimals_of(answer: bytes | None) -> int:
    """Return how many decimals a token has.

    Raises:
        BadValueError: it does not say so, or so many that no pool of it can be reckoned with.
    """
    if answer is None or len(answer) != WORD:
        raise BadValueError("it does not say its decimals")
    decimals = unsigned(answer, 0)
    if not TOKEN_DECIMALS_MIN <= decimals <= TOKEN_DECIMALS_MAX:
        shown = (
            str(decimals) if decimals < WORD * WORD else f"a number of {len(str(decimals))} digits"
        )
        raise BadValueError(
            f"its decimals are {shown}; {TOKEN_DECIMALS_MIN} to {TOKEN_DECIMALS_MAX} can be"
        )
    return decimals


def _string(answer: bytes) -> bytes:
    if len(answer) < 2 * WORD or unsigned(answer, 0) != _STRING_AT:
        return b""
    length = unsigned(answer, 1)
    return answer[2 * WORD : 2 * WORD + min(length, TEXT_BYTES_MAX)]
