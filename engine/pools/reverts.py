"""What no contract would take: words too wide, values outside the rules, one token twice.

Makers of states call these once per pool, the formulas only where a word could overflow, so that a
confirmation stays a matter of microseconds.
"""

from collections.abc import Sequence

from engine.domain.errors import BadValueError

U256_MAX = (1 << 256) - 1
U128_MAX = (1 << 128) - 1
U64_MAX = (1 << 64) - 1
DECIMALS_MIN = 1
DECIMALS_MAX = 18
"""The formulas scale to eighteen decimals; a token outside these bounds is a fake or a mistake."""


def overflow(what: str) -> BadValueError:
    """Make the error of a word that the contract's checked arithmetic would refuse."""
    return BadValueError(f"{what} does not fit the contract's word: the call would revert")


def check_whole(value: object, *, what: str, least: int, most: int) -> int:
    """Return the value if it is a whole number between the two bounds, else raise.

    Raises:
        BadValueError: not an int (floats, NaN, booleans and None included), or out of bounds.
    """
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadValueError(f"{what} {value!r} is not a whole number")
    if not least <= value <= most:
        raise BadValueError(f"{what} {value} is outside {least} to {most}")
    return value


def check_tokens(tokens: Sequence[str], *, pool: str, least: int, most: int) -> None:
    """Check that a pool has a sound number of tokens, each named and each once.

    Raises:
        BadValueError: too few, too many, an empty name, or one token twice.
    """
    if not least <= len(tokens) <= most:
        raise BadValueError(f"{len(tokens)} tokens in pool {pool}: {least} to {most} are possible")
    for index, token in enumerate(tokens):
        if not token:
            raise BadValueError(f"token {index} of pool {pool} has no name")
        if token in tokens[:index]:
            raise BadValueError(f"token {token} twice in pool {pool}")


def check_same_count(values: Sequence[object], *, what: str, pool: str, count: int) -> None:
    """Check that a list has one entry per token.

    Raises:
        BadValueError: it has not.
    """
    if len(values) != count:
        raise BadValueError(f"{len(values)} {what} for {count} tokens in pool {pool}")


def check_swap(amount_raw: object, *, token_in: int, token_out: int, count: int) -> None:
    """Check the arguments of a swap: a positive amount between two different tokens of the pool.

    Raises:
        BadValueError: anything else.
    """
    check_whole(amount_raw, what="amount in raw units", least=1, most=U256_MAX)
    if not (0 <= token_in < count and 0 <= token_out < count):
        raise BadValueError(f"token {token_in} to {token_out} in a pool of {count} tokens")
    if token_in == token_out:
        raise BadValueError(f"token {token_in} against itself")
