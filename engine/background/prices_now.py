"""The engine's shared prices, read without its kernels: a role that reads once a minute needs none.

A row is copied whole or taken as absent: its sequence is odd while it is written, and another after
it was. See `kernels.matrix_layout`.
"""

import math
import os
from pathlib import Path
from typing import Final

from engine.background.wants import ROWS_MAX, PricesGiven
from engine.domain.errors import BadValueError, TransientError
from engine.kernels.matrix_layout import HEADER, KIND, ROW, ROW_WORDS, rows_at
from engine.market.matrix_block import Words, check_header, decode_places, map_words
from engine.market.matrix_file import is_locked, opened

TRIES: Final = 50


def read_prices(path: Path, *, at_ns: int, most: int = ROWS_MAX) -> PricesGiven:
    """Return all prices as they are now.

    Raises:
        TransientError: no engine shares any now.
        FatalError: the file is somebody else's.
    """
    try:
        with opened(path, is_writer=False) as file:
            given = _read(file, path, at_ns=at_ns, most=most)
            os.close(file)
    except BadValueError as error:
        raise TransientError(f"shared prices cannot be read: {error}") from error
    return given


def _read(file: int, path: Path, *, at_ns: int, most: int) -> PricesGiven:
    if os.fstat(file).st_size == 0:
        raise TransientError("no engine shares its prices yet")
    words = map_words(file, is_writer=False)
    generation = int(words[HEADER.GENERATION]) if len(words) > HEADER.GENERATION else 1
    check_header(words, path)
    rows = int(words[HEADER.ROWS])
    places = decode_places(words, rows, int(words[HEADER.PLACES_BYTES]))
    given = PricesGiven(at_ns=at_ns, left_out=max(rows - most, 0))
    for number, place in enumerate(places[:most]):
        row = _row(words, rows_at(rows) // 8 + number * ROW_WORDS)
        is_pool = place.kind == "pool"
        name, _, chain = place.name.partition(" ")[0].partition("@")
        given.venue.append(name if is_pool else place.name)
        given.place.append(place.name if is_pool else f"{place.base}-{place.quote}")
        given.base.append(place.base)
        given.quote.append(place.quote)
        given.chain.append(chain if is_pool else "")
        for column, value in zip((given.bid, given.ask), row[:2], strict=True):
            column.append(value)
        given.bid_size.append(row[2])
        given.ask_size.append(row[3])
    if generation & 1 or int(words[HEADER.GENERATION]) != generation or not is_locked(file):
        raise TransientError("no engine shares its prices now")
    return given


def _row(words: Words, start: int) -> tuple[float, float, float, float]:
    """Return bid, ask and their sizes; NaN where they are absent, stale or do not come to rest."""
    for _ in range(TRIES):
        before = int(words[start + ROW.SEQUENCE])
        copied = words[start : start + ROW_WORDS].copy()
        if before & 1 or int(words[start + ROW.SEQUENCE]) != before:
            continue
        values = copied.view("f8")
        bid, ask = float(values[ROW.BID]), float(values[ROW.ASK])
        if copied[ROW.KIND] not in KIND or not copied[ROW.IS_LIVE]:
            break
        return (
            bid if bid > 0 else math.nan,
            ask if 0 < ask < math.inf else math.nan,
            float(values[ROW.BID_SIZE]),
            float(values[ROW.ASK_SIZE]),
        )
    return math.nan, math.nan, 0.0, 0.0
