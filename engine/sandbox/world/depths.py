"""How far a swap moves the price of a pool, by the kind of its curve, in floats.

Whoever trades in the local world need not be exact, but has to know how deep a pool is.
"""

import math
from math import prod, sqrt
from typing import Final, NamedTuple, Protocol

STEPS: Final = 60
_NEXT_TO_NOTHING: Final = 1e-12


class Depth(Protocol):
    """A pool's curve where it stands; tokens are numbered as the pool has them."""

    @property
    def held_raw(self) -> tuple[float, ...]:
        """Return of each token what a price follows from: on a concentrated pool more than is."""
        ...

    def worths(self) -> tuple[float, ...]:
        """Return what the pool takes a raw unit of each token to be worth, in a unit of its own."""
        ...

    def amount_raw(self, token_in: int, token_out: int, ratio: float) -> float:
        """Return how much has to be sold until the price of it is only so much of what it was.

        Args:
            token_in: what is sold.
            token_out: what it is paid in.
            ratio: of the price after to the price before, above 0 and below 1.
        """
        ...


class ProductDepth(NamedTuple):
    """A product of powers: pairs, weighted pools, and a concentrated one near its price."""

    held_raw: tuple[float, ...]
    weights: tuple[float, ...]

    def worths(self) -> tuple[float, ...]:
        """Return each token's weight over what is held of it."""
        return tuple(w / held for w, held in zip(self.weights, self.held_raw, strict=True))

    def amount_raw(self, token_in: int, token_out: int, ratio: float) -> float:
        """Solve ``ratio = (held / (held + amount)) ** (1 + w_in / w_out)``."""
        w_in, w_out = self.weights[token_in], self.weights[token_out]
        return self.held_raw[token_in] * (math.pow(ratio, -w_out / (w_in + w_out)) - 1.0)


class StableDepth(NamedTuple):
    """A stable swap, ``ann S + D = ann D + D**(n+1) / (n**n P)`` (Curve's paper).

    Attributes:
        units: raw units of each token in one of the common unit.
        ann: amplification times the number of tokens.
        d: the invariant, in the common unit.
    """

    held_raw: tuple[float, ...]
    units: tuple[float, ...]
    ann: float
    d: float

    def worths(self) -> tuple[float, ...]:
        """Return the invariant's slope for each token."""
        return tuple(
            slope / unit for slope, unit in zip(self._slopes(self._held()), self.units, strict=True)
        )

    def amount_raw(self, token_in: int, token_out: int, ratio: float) -> float:
        """Search it, as the curve has no inverse in closed form."""
        held = self._held()
        wanted = self._price(held, token_in, token_out) * ratio
        low, high = held[token_in] * _NEXT_TO_NOTHING, held[token_in] / _NEXT_TO_NOTHING
        for _ in range(STEPS):
            middle = sqrt(low * high)
            after = list(held)
            after[token_in] += middle
            after[token_out] = self._left(after, token_out)
            if self._price(after, token_in, token_out) > wanted:
                low = middle
            else:
                high = middle
        return low * self.units[token_in]

    def _held(self) -> list[float]:
        return [raw / unit for raw, unit in zip(self.held_raw, self.units, strict=True)]

    def _slopes(self, held: list[float]) -> list[float]:
        share = self._power() / prod(held)
        return [self.ann + share / one for one in held]

    def _price(self, held: list[float], token_in: int, token_out: int) -> float:
        slopes = self._slopes(held)
        return slopes[token_in] / slopes[token_out]

    def _left(self, held: list[float], token: int) -> float:
        """Return what is left of a token, from what is held of all others."""
        others = [one for index, one in enumerate(held) if index != token]
        b = sum(others) + self.d / self.ann - self.d
        c = self._power() / (self.ann * prod(others))
        return 2.0 * c / (b + sqrt(b * b + 4.0 * c)) if b > 0.0 else (sqrt(b * b + 4.0 * c) - b) / 2

    def _power(self) -> float:
        count = len(self.units)
        return self.d * (self.d / count) ** count
