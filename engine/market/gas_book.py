"""What gas costs on each chain of a run, and since when that is known."""

from collections.abc import Mapping
from decimal import Decimal

from engine.domain.gas import GasPrice
from engine.domain.units import NS_PER_MS


class GasBook:
    """Prices by chain, shared by all who reckon with them.

    A price of the settings is assumed and ages not; one that a chain told is none after a while,
    until it tells again.
    """

    def __init__(self, gwei: Mapping[str, Decimal] | None = None, *, stale_ms: int = 0) -> None:
        """Begin with what is assumed.

        Args:
            gwei: by chain; on one without a price nothing is costed.
            stale_ms: after that long a told price is none; 0 if it never ages.

        Raises:
            BadValueError: one of them is no price.
        """
        self._prices = {chain: GasPrice(gwei=one) for chain, one in (gwei or {}).items()}
        self._told_at_ns: dict[str, int] = {}
        self._stale_ns = stale_ms * NS_PER_MS

    @property
    def chains(self) -> tuple[str, ...]:
        """The chains that have a price, in the order in which they got one."""
        return tuple(self._prices)

    def price(self, chain: str) -> GasPrice | None:
        """Return the price of a chain, however old."""
        return self._prices.get(chain)

    def take(self, chain: str, price: GasPrice, at_ns: int) -> None:
        """Take what a chain tells."""
        self._prices[chain] = price
        self._told_at_ns[chain] = at_ns

    def age_ms(self, chain: str, at_ns: int) -> int | None:
        """Return how old a chain's word is, None if its price is assumed or it has none."""
        told_at_ns = self._told_at_ns.get(chain)
        return None if told_at_ns is None else max(at_ns - told_at_ns, 0) // NS_PER_MS

    def staleness(self, chain: str, at_ns: int) -> str:
        """Say why a chain's price is too old to reckon with; empty if it is not."""
        told_at_ns = self._told_at_ns.get(chain)
        if told_at_ns is None or not self._stale_ns or at_ns - told_at_ns <= self._stale_ns:
            return ""
        age_s, most_s = ((ns // NS_PER_MS) / 1_000 for ns in (at_ns - told_at_ns, self._stale_ns))
        return f"gas of {chain} was told {age_s:.0f} s ago; it counts for {most_s:.0f} s"

    def step_clock(self, step_ns: int) -> None:
        """Keep ages over a step of the clock."""
        for chain in self._told_at_ns:
            self._told_at_ns[chain] += step_ns
