"""Live holdings as chains and venues have them: opened with what is there, compared ever after.

A place is opened with what a block, or a venue, shows. Later the books have to come to what is
shown: what differs was brought or taken by no transaction and no order of ours. It is put right as
a deposit with a sentence, and is no profit.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.domain.assets import Amount
from engine.domain.exact import exact_product, exact_sum
from engine.domain.holdings import Deposit, Place
from engine.domain.live_start import Opened
from engine.domain.orders_told import VenueSeen
from engine.domain.told import WalletSeen
from engine.portfolio.inventory import Inventory
from engine.portfolio.leftovers import UsdPer

ACCOUNT: Final = "account"
"""Where a place at a venue began: no chain has it, and no block."""

_ZERO: Final = Decimal(0)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a place is shown to hold.

    Attributes:
        where: when or at what, in words.
        doing: by what it changes without a difference, in words.
        is_moving: a transfer moves some of it: what differs is that, and is told by it.
    """

    opened: Opened
    amount: Decimal
    where: str
    doing: str
    is_moving: bool = False


class Wallets:
    """Which places of live money were opened, and on which chain.

    Attributes:
        coins: by chain what its wallet had at the last look of the chain's own asset that is not
            wrapped; the books have both as one.
    """

    def __init__(self, inventory: Inventory, opened: Iterable[Opened] = ()) -> None:
        self._inventory = inventory
        self._opened = {one.place: one for one in opened}
        self.coins: dict[str, Decimal] = {}

    def see_coins(self, seen: WalletSeen) -> None:
        """Note what a wallet has in coins, where that is said."""
        if seen.coins is not None:
            self.coins[seen.chain] = seen.coins

    def take(self, seen: WalletSeen, usd_per: UsdPer) -> list[Found]:
        """Put the books right by what a block shows; return what that changed."""
        return self._take(
            [
                _Shown(
                    opened=Opened(venue=one.venue, asset=one.asset, era=seen.era, began=seen.began),
                    amount=one.amount,
                    where=f" at block {seen.block} ({seen.block_hash})",
                    doing="transaction",
                )
                for one in seen.held
            ],
            usd_per,
        )

    def take_venue(self, seen: VenueSeen, usd_per: UsdPer) -> list[Found]:
        """Put the books right by what a venue shows, all of it; return what that changed.

        What it does not name it has nothing of. A place is opened once there is something.
        """
        shown = {(seen.venue, one.asset): exact_sum((one.free, one.held)) for one in seen.held}
        known = [one.place for one in self._inventory.holdings if one.venue == seen.venue]
        return self._take(
            [
                _Shown(
                    opened=Opened(venue=seen.venue, asset=place[1], era=0, began=ACCOUNT),
                    amount=shown.get(place, _ZERO),
                    where="",
                    doing="order",
                    is_moving=place[1] in seen.moving,
                )
                for place in sorted({*shown, *known})
                if shown.get(place) or self._inventory.held(place)
            ],
            usd_per,
        )

    def _take(self, shown: Iterable[_Shown], usd_per: UsdPer) -> list[Found]:
        found = []
        for one in shown:
            venue, asset = one.opened.place
            known = self._opened.get(one.opened.place)
            had = self._inventory.held(one.opened.place)
            if known is not None and known.era == one.opened.era and had == one.amount:
                continue
            price = usd_per(asset)
            deposit = Deposit(
                venue=venue,
                added=Amount(exact_sum((one.amount, -had)), asset),
                started=Amount(one.amount, asset),
                started_usd=_ZERO if price is None else exact_product(one.amount, price),
            )
            self._opened[one.opened.place] = one.opened
            self._inventory.take(deposit)
            found.append(_found(one, deposit, known, had))
        return found

    def is_open(self, place: Place) -> bool:
        """Say whether what a place holds was ever read on its chain."""
        return place in self._opened


def _found(shown: _Shown, deposit: Deposit, known: Opened | None, had: Decimal) -> Found:
    asset, now, opened = deposit.added.asset, deposit.started.value, shown.opened
    there = f"{deposit.venue} holds {_short(now)} {asset}{shown.where}"
    if known is None:
        why = f"{there}: the books begin with it"
        return Found(deposit=deposit, opened=opened, why=why, is_told=False)
    if known.era != opened.era:
        before = f"{_short(had)} before; that is no gain and no loss"
        why = f"the chain was begun anew: {there}, and {before}"
        return Found(deposit=deposit, opened=opened, why=why, is_told=True, is_anew=True)
    more = deposit.added.value
    if shown.is_moving:
        moved = f"{_short(more)} came" if more > 0 else f"{_short(-more)} went"
        why = f"{there}, our books {_short(had)}: {moved} by a transfer; no gain and no loss"
        return Found(deposit=deposit, opened=opened, why=why, is_told=False)
    moved = f"{_short(more)} more came" if more > 0 else f"{_short(-more)} more went"
    why = (
        f"{there}, our books {_short(had)}: {moved} than by any {shown.doing} of ours; booked"
        " apart, as no gain and no loss"
    )
    return Found(deposit=deposit, opened=opened, why=why, is_told=True)


def _short(amount: Decimal) -> str:
    """Return an amount without zeros at its end."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
