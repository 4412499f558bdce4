"""How Gemini's v2 feed is audited: its REST book, whose times of levels are dummies."""

from collections.abc import Iterator

import msgspec

from engine.connectors.audit import (
    ASK,
    BID,
    COMPARED_LEVELS,
    Sides,
    decode_levels,
    parse_levels,
)
from engine.connectors.link import Delta, Row
from engine.connectors.undated import LevelText, UndatedAuditor
from engine.connectors.venues.gemini.messages import Book
from engine.domain.instruments import Instrument
from engine.ports import BookSink

_decode = msgspec.json.Decoder(Book).decode


def gemini_auditor(sink: BookSink) -> UndatedAuditor:
    """Make the auditor of that feed's rows."""
    return UndatedAuditor(sink, path_of=_path_of, read_book=_read_book, changes_of=_changes_of)


def _path_of(row: Row) -> str:
    return f"/v1/book/{row.wire}?limit_bids={COMPARED_LEVELS}&limit_asks={COMPARED_LEVELS}"


def _read_book(payload: bytes, instrument: Instrument) -> Sides | None:
    book = _decode(payload)
    bids, asks = (
        parse_levels([(one.price, one.amount) for one in levels], instrument)
        for levels in (book.bids, book.asks)
    )
    return None if bids is None or asks is None else (bids, asks)


def _changes_of(delta: Delta) -> Iterator[LevelText]:
    for side, price, size in decode_levels(delta[2], 3) or []:
        yield (BID if side == "buy" else ASK), price, size
