"""Slow twin of reserves out of words: Python's own whole numbers and floats."""

from engine.pools.integers import UINT112_MAX
from engine.pools.snapshot_rows import PAIR_LIQUIDITY_MIN


def reserves_of(words: bytes) -> list[float]:
    """Return the reserves of words of 32 bytes, up to the first that no plain pair has."""
    found = []
    for at in range(0, len(words), 32):
        reserve_raw = int.from_bytes(words[at : at + 32])
        if not PAIR_LIQUIDITY_MIN <= reserve_raw <= UINT112_MAX:
            break
        found.append(float(reserve_raw))
    return found
