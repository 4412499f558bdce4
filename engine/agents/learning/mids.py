"""Prices of pairs as all books together have them now."""

import math
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from engine.background.wants import PricesGiven

PAIRS_MAX: Final = 16


class PairNow(msgspec.Struct, frozen=True, kw_only=True):
    """A pair at an instant.

    Attributes:
        log_mid: the middle of the books' middles.
        imbalance: how much more is bid than asked at the best prices, from -1 to 1.
        books: how many say so.
    """

    log_mid: float
    imbalance: float
    books: int


def pairs_now(prices: PricesGiven) -> Mapping[str, PairNow]:
    """Return the pairs that most books quote, by their names: as many as are followed at most."""
    mids: dict[str, list[float]] = {}
    leans: dict[str, list[float]] = {}
    rows = zip(
        prices.base,
        prices.quote,
        prices.chain,
        prices.bid,
        prices.ask,
        prices.bid_size,
        prices.ask_size,
        strict=True,
    )
    for base, quote, chain, bid, ask, bid_size, ask_size in rows:
        if chain or not (0 < bid <= ask < math.inf):
            continue
        pair = f"{base}-{quote}"
        mids.setdefault(pair, []).append(math.log(bid * ask) / 2)
        both = bid_size + ask_size
        if both > 0 and math.isfinite(both):
            leans.setdefault(pair, []).append((bid_size - ask_size) / both)
    best = sorted(mids, key=lambda pair: (-len(mids[pair]), pair))[:PAIRS_MAX]
    return {
        pair: PairNow(
            log_mid=float(np.median(mids[pair])),
            imbalance=float(np.mean(leans[pair])) if pair in leans else 0.0,
            books=len(mids[pair]),
        )
        for pair in best
    }
