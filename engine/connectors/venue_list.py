"""THE list of venues and their feeds, the default one first.

Adding a venue is a folder in `venues`, whose `spec.py` says the rest, and a line here. Every
process checks its settings by this list, and few load the venues.
"""

from typing import Final

FEEDS: Final[dict[str, tuple[str, ...]]] = {
    "binance": ("depth",),
    "coinbase": ("level2",),
    "bitstamp": ("diff",),
    "gemini": ("depth", "l2"),
    "kraken": ("book",),
}
