"""How a book that ccxt keeps by an exchange's stream is audited: by that exchange's REST book.

ccxt checks neither all sequences nor all checksums (Kraken's is switched off in it), and has kept
levels over a reconnect that were gone.
"""

from collections.abc import Iterator
from urllib.parse import quote

import msgspec

from engine.connectors.audit import (
    ASK,
    BID,
    COMPARED_LEVELS,
    Sides,
    decode_levels,
    parse_pairs,
)
from engine.connectors.by_ccxt.messages import RestBook
from engine.connectors.link import Delta, Row
from engine.connectors.undated import LevelText, UndatedAuditor
from engine.domain.instruments import Instrument
from engine.ports import BookSink

BOOK_PATH = "/book"

_decode = msgspec.json.Decoder(RestBook).decode


def ccxt_auditor(sink: BookSink) -> UndatedAuditor:
    """Make the auditor of a feed's rows."""
    return UndatedAuditor(sink, path_of=path_of, read_book=_read_book, changes_of=_changes_of)


def path_of(row: Row) -> str:
    """Return the path of a row's book at the role."""
    return f"{BOOK_PATH}?symbol={quote(row.wire, safe='')}"


def _read_book(payload: bytes, instrument: Instrument) -> Sides | None:
    book = _decode(payload)
    bids, asks = (
        parse_pairs(levels, instrument, COMPARED_LEVELS) for levels in (book.bids, book.asks)
    )
    return None if bids is None or asks is None else (bids, asks)


def _changes_of(delta: Delta) -> Iterator[LevelText]:
    for side, raw in ((BID, delta[2]), (ASK, delta[3])):
        for price, size in decode_levels(raw, 2) or []:
            yield side, price, size
