"""Inputs that are searched for: the least that yields an output, the most that is taken at all.

Some contracts answer exact input only. Quotes rise with the input but for single units of rounding.
The answer is an input for which all is well while it is not for the next one, found by doubling
steps from a close guess and then halving.
"""

from collections.abc import Callable

from engine.domain.errors import BadValueError
from engine.pools.reverts import U256_MAX

STEPS_MAX = 600
"""Twice the bits of a word, and some: no search can take longer."""


def least_amount_in(
    quote: Callable[[int], int], amount_out_raw: int, *, guess_raw: int, most_raw: int = U256_MAX
) -> int:
    """Return an input that yields at least `amount_out_raw` while one unit less does not.

    Args:
        quote: output for an input; may raise BadValueError where the contract would revert.
        amount_out_raw: least output wanted, positive.
        guess_raw: where to start; the closer, the fewer quotes.
        most_raw: greatest input to try.

    Raises:
        BadValueError: no input up to `most_raw` yields that much.
    """
    low, high = 0, min(max(guess_raw, 1), most_raw)
    step = 1
    for _ in range(STEPS_MAX):
        if _reaches(quote, high, amount_out_raw):
            break
        if high >= most_raw:
            raise BadValueError(f"no input yields {amount_out_raw} raw units of this pool")
        low, high = high, min(high + step, most_raw)
        step *= 2
    if low == 0:
        step = 1
        while high > 1 and _reaches(quote, max(high - step, 1), amount_out_raw):
            high, step = max(high - step, 1), step * 2
        low = max(high - step, 0)
    for _ in range(STEPS_MAX):
        if high - low <= 1:
            return high
        middle = (low + high) // 2
        if _reaches(quote, middle, amount_out_raw):
            high = middle
        else:
            low = middle
    return high


def most_amount_in(quote: Callable[[int], int], amount_in_raw: int) -> int:
    """Return the greatest input up to one for which a quote is given; 0 if there is none.

    Args:
        quote: output for an input; raises BadValueError beyond what the pool takes.
        amount_in_raw: where to start; the closer, the fewer quotes.
    """
    high, step = max(amount_in_raw, 0), 1
    if high == 0 or _reaches(quote, high, 0):
        return high
    low = max(high - step, 0)
    while low > 0 and not _reaches(quote, low, 0):
        high, step = low, step * 2
        low = max(low - step, 0)
    while high - low > 1:
        middle = (low + high) // 2
        if _reaches(quote, middle, 0):
            low = middle
        else:
            high = middle
    return low


def _reaches(quote: Callable[[int], int], amount_in_raw: int, amount_out_raw: int) -> bool:
    try:
        return quote(amount_in_raw) >= amount_out_raw
    except BadValueError:
        return False  # a revert yields nothing; above the sound range the search ends by its limit
