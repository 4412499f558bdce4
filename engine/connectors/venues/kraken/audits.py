"""How Kraken's feed is audited beyond the ten levels of its checksum: by its REST book."""

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
from engine.connectors.venues.kraken.messages import DepthAnswer
from engine.domain.instruments import Instrument
from engine.ports import BookSink

_decode = msgspec.json.Decoder(DepthAnswer, strict=False).decode


def kraken_auditor(sink: BookSink) -> UndatedAuditor:
    """Make the auditor of the feed's rows."""
    return UndatedAuditor(sink, path_of=_path_of, read_book=_read_book, changes_of=_changes_of)


def _path_of(row: Row) -> str:
    return f"/0/public/Depth?pair={row.wire}&count={COMPARED_LEVELS}"


def _read_book(payload: bytes, instrument: Instrument) -> Sides | None:
    told = _decode(payload)
    if told.error or len(told.result) != 1:
        raise msgspec.ValidationError("an answer with an error, or of another number of pairs")
    (book,) = told.result.values()
    bids, asks = (parse_levels(levels, instrument) for levels in (book.bids, book.asks))
    return None if bids is None or asks is None else (bids, asks)


def _changes_of(delta: Delta) -> Iterator[LevelText]:
    for side, raw in ((BID, delta[2]), (ASK, delta[3])):
        for price, size in decode_levels(raw, 2) or []:
            yield side, price, size
