"""Depth stream names, which Binance and Gemini's newer feed share: ``<symbol>@depth[@100ms]``."""

from collections.abc import Sequence

from engine.sandbox.dialects.base import Market, Topic

INTERVALS_MS = {"depth": 1000, "depth@1000ms": 1000, "depth@100ms": 100}


def parse_stream(market: Market, name: str) -> Topic | None:
    """Turn a stream name into a topic; None when symbol or kind is unknown."""
    symbol, _, kind = name.partition("@")
    listing = market.listing(symbol.upper())
    interval_ms = INTERVALS_MS.get(kind)
    if listing is None or interval_ms is None:
        return None
    return listing.wire_name, interval_ms


def stream_name(topic: Topic) -> str:
    """Turn a topic into its stream name."""
    symbol, interval_ms = topic
    return f"{symbol.lower()}@depth" + (
        "@100ms" if interval_ms == INTERVALS_MS["depth@100ms"] else ""
    )


def stream_names(topics: Sequence[Topic] | set[Topic]) -> list[str]:
    """Turn topics into stream names, in order."""
    return sorted(stream_name(topic) for topic in topics)
