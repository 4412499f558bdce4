"""How many of one unit make another: time and basis points."""

from typing import Final

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000
NS_PER_MINUTE: Final = 60 * NS_PER_S
NS_PER_HOUR: Final = 60 * NS_PER_MINUTE
NS_PER_DAY: Final = 86_400 * NS_PER_S
BPS_PER_UNIT: Final = 10_000

GWEI_DECIMALS: Final = 9
"""Of a chain's own asset, of which gas is told in billionths."""

NATIVE_DECIMALS: Final = 18
"""Of each chain's own asset: its least unit is a wei, whatever it is called."""
