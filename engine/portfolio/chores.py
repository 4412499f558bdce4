"""What transactions that carry no plan out have paid: each word of it is booked once."""

from decimal import Decimal
from typing import Final

from engine.domain.exact import exact_product, exact_sum
from engine.domain.told import Booked, Cost, TransactionNews
from engine.portfolio.leftovers import UsdPer

KNOWN_MAX: Final = 4_096
"""Chores that are remembered; the ledger has those before."""


class Chores:
    """Chores of a run, and what is booked of each."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Decimal]] = {}

    def knows(self, client_order_id: str) -> bool:
        """Say whether something of a chore was told in this run."""
        return client_order_id in self._known

    def take(self, news: TransactionNews, booked: Booked | None, usd_per: UsdPer) -> Cost | None:
        """Return what is to be booked now, None if that was done.

        Args:
            news: of a chore.
            booked: what an earlier run booked of it.
            usd_per: values its asset.
        """
        chore, name = news.chore, news.client_order_id
        assert chore is not None
        before = (0, Decimal(0)) if booked is None else (booked.version, booked.gas)
        version, gas = self._known.get(name, before)
        if news.version <= version:
            self._known.setdefault(name, before)
            return None
        self._known[name] = (news.version, chore.gas)
        while len(self._known) > KNOWN_MAX:
            del self._known[next(iter(self._known))]
        amount = exact_sum((chore.gas, -gas))
        price = usd_per(chore.asset)
        return Cost(
            client_order_id=name,
            version=news.version,
            venue=chore.wallet,
            asset=chore.asset,
            amount=amount,
            usd=None if price is None else exact_product(amount, price),
            what=chore.what,
        )
