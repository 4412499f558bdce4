"""The one list of dialects."""

from engine.sandbox.dialects import binance, bitstamp, coinbase, gemini, kraken
from engine.sandbox.dialects.base import Dialect

DIALECTS: tuple[Dialect, ...] = (
    coinbase.DIALECT,
    gemini.DIALECT,
    bitstamp.DIALECT,
    binance.DIALECT,
    kraken.DIALECT,
)
