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
        self._told = {chain: GasPrice(gwei=one) for chain, one in (gwei or {}).items()}
        self._prices = dict(self._told)
        self._tips: dict[str, Decimal] = {}
        self._ratios: dict[str, Decimal] = {}
        self._told_at_ns: dict[str, int] = {}
        self._stale_ns = stale_ms * NS_PER_MS

    @property
    def chains(self) -> tuple[str, ...]:
        """The chains that have a price, in the order in which they got one."""
        return tuple(self._prices)

    def price(self, chain: str) -> GasPrice | None:
        """Return the price of a chain that is reckoned with, however old."""
        return self._prices.get(chain)

    def told(self, chain: str) -> GasPrice | None:
        """Return what a chain told itself, whatever is advised: below that no block takes us."""
        return self._told.get(chain)

    def paid(self, chain: str) -> GasPrice | None:
        """Return what a transaction pays that is taken now: what it bids, no more than is asked."""
        told, tip = self._told.get(chain), self._tips.get(chain)
        return told if told is None or tip is None else told.bidding(tip)

    def advised(self, chain: str) -> tuple[bool, bool]:
        """Say whether the tip, and the ratio, that are advised make its price another."""
        told, tip = self._told.get(chain), self._tips.get(chain)
        ratio = self._ratios.get(chain)
        has_tip = told is not None and tip is not None and told.bidding(tip) != told
        return has_tip, ratio is not None and ratio != 1

    def advise(self, tips: Mapping[str, Decimal], ratios: Mapping[str, Decimal]) -> list[str]:
        """Reckon with other tips, and with dearer gas, from now on; return the chains it changes.

        Args:
            tips: in gwei, by chain; on others with what each tells.
            ratios: by how much dearer, by chain.
        """
        before = self._prices
        self._tips, self._ratios = dict(tips), dict(ratios)
        self._prices = {chain: self._reckoned(chain, told) for chain, told in self._told.items()}
        return [chain for chain, price in self._prices.items() if before[chain] != price]

    def _reckoned(self, chain: str, told: GasPrice) -> GasPrice:
        tip, ratio = self._tips.get(chain), self._ratios.get(chain)
        price = told if tip is None else told.bidding(tip)
        return price if ratio is None else price.times(ratio)

    def take(self, chain: str, price: GasPrice, at_ns: int) -> None:
        """Take what a chain tells."""
        self._told[chain] = price
        self._prices[chain] = self._reckoned(chain, price)
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
