"""Raw JSON levels of the wire to exact whole numbers.

The caller has validated the JSON grammar (msgspec keeps raw parts only of valid documents), except
for `parse_plain`; what is here checks shape and numbers, and refuses a frame whole.
"""

from numba import int64

from engine.kernels.digits import PAIR_BYTES, plain_pair
from engine.kernels.jit import borrowing, fused
from engine.kernels.layout import (
    ASK,
    BAD_NUMBER,
    BAD_SHAPE,
    BID,
    DROPPED,
    FORM_COINBASE,
    FORM_PAIRS,
    FORM_SIDED,
    PRICE_DECIMALS,
    SIZE_DECIMALS,
)
from engine.kernels.number_text import number, number_of_size, scale, scale_size


@fused
def _skip_space(raw, i):
    while i < len(raw) and (raw[i] == 32 or raw[i] == 10 or raw[i] == 13 or raw[i] == 9):
        i += 1
    return i


@borrowing
def _skip_value(raw, i):
    """Skip a string, a number or a word; returns -1 for anything nested."""
    n = len(raw)
    if i < n and raw[i] == 34:
        i += 1
        while i < n and raw[i] != 34:
            if raw[i] == 92:
                i += 1
            i += 1
        return i + 1
    if i < n and (raw[i] == 91 or raw[i] == 123):
        return -1
    while i < n and raw[i] != 44 and raw[i] != 125 and raw[i] != 93:
        i += 1
    return i


@borrowing
def _matches(raw, start, end, word):
    if end - start != len(word):
        return False
    for k in range(len(word)):
        if raw[start + k] != word[k]:
            return False
    return True


# Words of the wire as bytes, so that the comparison compiles to plain integer compares.
_BUY, _SELL, _BID = tuple(b"buy"), tuple(b"sell"), tuple(b"bid")
_OFFER, _ASK, _SIDE = tuple(b"offer"), tuple(b"ask"), tuple(b"side")
_PRICE, _PRICE_LEVEL = tuple(b"price"), tuple(b"price_level")
_SIZE, _AMOUNT, _NEW_QUANTITY = tuple(b"size"), tuple(b"amount"), tuple(b"new_quantity")


@borrowing
def _side(raw, i):
    """Parse a quoted side; returns (position after it, BID, ASK or -1)."""
    n = len(raw)
    if i >= n or raw[i] != 34:
        return i, -1
    start = i + 1
    end = start
    while end < n and raw[end] != 34:
        end += 1
    if _matches(raw, start, end, _BID) or _matches(raw, start, end, _BUY):
        return end + 1, BID
    if (
        _matches(raw, start, end, _OFFER)
        or _matches(raw, start, end, _SELL)
        or _matches(raw, start, end, _ASK)
    ):
        return end + 1, ASK
    return end + 1, -1


@fused
def _array_level(raw, i, form, side, price_decimals, size_decimals):
    """Parse ``["side",]"price","size"]`` after its bracket: (position, side, price, size)."""
    if form == FORM_SIDED:
        i, side = _side(raw, _skip_space(raw, i))
        i = _skip_space(raw, i)
        if side < 0 or i >= len(raw) or raw[i] != 44:
            return -1, side, int64(0), int64(0)
        i += 1
    i, price = number(raw, _skip_space(raw, i), price_decimals)
    i = _skip_space(raw, i)
    if i >= len(raw) or raw[i] != 44:
        return -1 if price >= 0 else -2, side, int64(0), int64(0)
    i, size = number_of_size(raw, _skip_space(raw, i + 1), size_decimals)
    i = _skip_space(raw, i)
    if price < 0 or size < 0:
        return -2, side, int64(0), int64(0)
    if i >= len(raw) or raw[i] != 93:
        return -1, side, int64(0), int64(0)
    return i + 1, side, price, size


@borrowing
def _object_level(raw, i, side, price_decimals, size_decimals):
    """Parse an object level after its brace: (position, side, price, size)."""
    n = len(raw)
    price = int64(-1)
    size = int64(-1)
    while i < n:
        i = _skip_space(raw, i)
        if i >= n or raw[i] != 34:
            return -1, side, price, size
        start = i + 1
        end = start
        while end < n and raw[end] != 34:
            end += 1
        i = _skip_space(raw, end + 1)
        if i >= n or raw[i] != 58:
            return -1, side, price, size
        i = _skip_space(raw, i + 1)
        if _matches(raw, start, end, _PRICE_LEVEL) or _matches(raw, start, end, _PRICE):
            i, price = number(raw, i, price_decimals)
            if price < 0:
                return -2, side, price, size
        elif (
            _matches(raw, start, end, _NEW_QUANTITY)
            or _matches(raw, start, end, _AMOUNT)
            or _matches(raw, start, end, _SIZE)
        ):
            i, size = number_of_size(raw, i, size_decimals)
            if size < 0:
                return -2, side, price, size
        elif _matches(raw, start, end, _SIDE):
            i, side = _side(raw, i)
            if side < 0:
                return -1, side, price, size
        else:
            i = _skip_value(raw, i)
            if i < 0:
                return -1, side, price, size
        i = _skip_space(raw, i)
        if i < n and raw[i] == 44:
            i += 1
        elif i < n and raw[i] == 125:
            if price < 0 or size < 0 or side < 0:
                return -1, side, price, size
            return i + 1, side, price, size
        else:
            return -1, side, price, size
    return -1, side, price, size


@borrowing
def _parse(raw, form, side, columns, scratch, count):
    """Append the levels of one raw JSON array to scratch as (side, price, size).

    A bid at price zero buys nothing: it is left out and counted. Returns the new count, or minus
    the outcome code; an array that is missing (no bytes) has no shape.
    """
    price_decimals, size_decimals = columns[PRICE_DECIMALS], columns[SIZE_DECIMALS]
    n = len(raw)
    i = _skip_space(raw, 0)
    if i >= n or raw[i] != 91:
        return -BAD_SHAPE
    i = _skip_space(raw, i + 1)
    if i < n and raw[i] == 93:
        return count
    while i < n:
        if count >= scratch.shape[0]:
            return -BAD_SHAPE
        if form == FORM_PAIRS or form == FORM_SIDED:
            if raw[i] != 91:
                return -BAD_SHAPE
            i, level_side, price, size = _array_level(
                raw, i + 1, form, side, price_decimals, size_decimals
            )
        else:
            if raw[i] != 123:
                return -BAD_SHAPE
            start_side = -1 if form == FORM_COINBASE else side
            i, level_side, price, size = _object_level(
                raw, i + 1, start_side, price_decimals, size_decimals
            )
        if i == -1:
            return -BAD_SHAPE
        if i == -2:
            return -BAD_NUMBER
        if price > 0:
            scratch[count, 0] = level_side
            scratch[count, 1] = price
            scratch[count, 2] = size
            count += 1
        elif level_side == BID:
            columns[DROPPED] += 1
        else:
            return -BAD_NUMBER
        i = _skip_space(raw, i)
        if i < n and raw[i] == 44:
            i = _skip_space(raw, i + 1)
        elif i < n and raw[i] == 93:
            return count
        else:
            return -BAD_SHAPE
    return -BAD_SHAPE


@borrowing
def parse_levels(raw_bids, raw_asks, form, book, state, scratch):
    """Parse both sides into scratch, as `_parse` does; returns the count, or minus the outcome."""
    count = _parse(raw_bids, form, BID, state[book], scratch, 0)
    if count < 0 or form == FORM_SIDED or form == FORM_COINBASE:
        return count
    return _parse(raw_asks, form, ASK, state[book], scratch, count)


_ASKS_KEY = tuple(b',"a":')


@borrowing
def _plain_pairs(raw, i, side, price_decimals, size_decimals, scratch, count):
    """Append the levels of an array without spaces, all numbers in quotes; `i` is its bracket.

    Returns (position after it, or -1 if it is not so, new count).
    """
    n = len(raw)
    if i + 1 >= n or raw[i] != 91:
        return -1, count
    if raw[i + 1] == 93:
        return i + 2, count
    while i + 2 < n and count < scratch.shape[0] and raw[i + 1] == 91 and raw[i + 2] == 34:
        i += 3
        length = 0
        if i + PAIR_BYTES <= n:
            length, price_digits, price, size_digits, size = plain_pair(raw, i)
        if length > 0:
            i += length + 1
            price = scale(price, price_decimals - price_digits)
            size = scale_size(size, size_decimals - size_digits)
        else:
            i, price = number(raw, i - 1, price_decimals)
            if i + 1 >= n or raw[i] != 44 or raw[i + 1] != 34:
                return -1, count
            i, size = number_of_size(raw, i + 1, size_decimals)
        if price <= 0 or size < 0 or i + 1 >= n or raw[i] != 93:
            return -1, count
        scratch[count, 0] = side
        scratch[count, 1] = price
        scratch[count, 2] = size
        count += 1
        i += 1
        if raw[i] == 93:
            return i + 1, count
        if raw[i] != 44:
            return -1, count
    return -1, count


@borrowing
def parse_plain(raw, start, stop, book, state, scratch):
    """Parse ``[bids],"a":[asks]`` that fills `raw` from `start` to `stop`, as `parse_levels` does.

    Returns the count, or -1 for anything that is not exactly so: what is taken here is JSON without
    anybody having checked it before.
    """
    price_decimals = state[book, PRICE_DECIMALS]
    size_decimals = state[book, SIZE_DECIMALS]
    i, count = _plain_pairs(raw, start, BID, price_decimals, size_decimals, scratch, 0)
    key_end = i + len(_ASKS_KEY)
    if i < 0 or key_end > stop or not _matches(raw, i, key_end, _ASKS_KEY):
        return -1
    i, count = _plain_pairs(raw, key_end, ASK, price_decimals, size_decimals, scratch, count)
    return count if i == stop else -1
