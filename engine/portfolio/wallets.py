"""Live holdings as the chain has them: opened with what is there, compared ever after.

A place is opened with what a block shows. Later the books have to come to what blocks show: what
differs was brought or taken by no transaction of ours. It is put right as a deposit with a
sentence, and is no profit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.assets import Amount
from engine.domain.exact import exact_product, exact_sum
from engine.domain.holdings import Deposit, Place
from engine.domain.live_start import Opened
from engine.domain.told import WalletSeen
from engine.portfolio.inventory import Inventory
from engine.portfolio.leftovers import UsdPer


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a chain shows otherwise than the books.

    Attributes:
        why: in a sentence.
        is_told: a person has to know it.
        is_anew: the chain was begun anew.
    """

    deposit: Deposit
    opened: Opened
    why: str
    is_told: bool
    is_anew: bool = False


class Wallets:
    """Which places of live money were opened, and on which chain."""

    def __init__(self, inventory: Inventory, opened: Iterable[Opened] = ()) -> None:
        self._inventory = inventory
        self._opened = {one.place: one for one in opened}

    def take(self, seen: WalletSeen, usd_per: UsdPer) -> list[Found]:
        """Put the books right by what a block shows; return what that changed."""
        found = []
        for one in seen.held:
            opened = Opened(venue=one.venue, asset=one.asset, era=seen.era, began=seen.began)
            known = self._opened.get(opened.place)
            had = self._inventory.held(opened.place)
            if known is not None and known.era == seen.era and had == one.amount:
                continue
            price = usd_per(one.asset)
            deposit = Deposit(
                venue=one.venue,
                added=Amount(exact_sum((one.amount, -had)), one.asset),
                started=Amount(one.amount, one.asset),
                started_usd=Decimal(0) if price is None else exact_product(one.amount, price),
            )
            self._opened[opened.place] = opened
            self._inventory.take(deposit)
            found.append(_found(seen, deposit, opened, known, had))
        return found

    def is_open(self, place: Place) -> bool:
        """Say whether what a place holds was ever read on its chain."""
        return place in self._opened


def _found(
    seen: WalletSeen, deposit: Deposit, opened: Opened, known: Opened | None, had: Decimal
) -> Found:
    asset, now = deposit.added.asset, deposit.started.value
    held = f"{deposit.venue} holds {_short(now)} {asset}"
    there = f"{held} at block {seen.block} ({seen.block_hash})"
    if known is None:
        why = f"{there}: the books begin with it"
        return Found(deposit=deposit, opened=opened, why=why, is_told=False)
    if known.era != seen.era:
        before = f"{_short(had)} before; that is no gain and no loss"
        why = f"the chain was begun anew: {there}, and {before}"
        return Found(deposit=deposit, opened=opened, why=why, is_told=True, is_anew=True)
    more = deposit.added.value
    moved = f"{_short(more)} more came" if more > 0 else f"{_short(-more)} more went"
    why = (
        f"{there}, our books {_short(had)}: {moved} than by any transaction of ours; booked apart,"
        " as no gain and no loss"
    )
    return Found(deposit=deposit, opened=opened, why=why, is_told=True)


def _short(amount: Decimal) -> str:
    """Return an amount without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
