"""Looks at places of live money whenever their venue, or a block, shows what is there.

While plans are under way at a place nothing is judged: what they have reserved comes back.
"""

from collections.abc import Iterator, Mapping
from decimal import Decimal

from engine.decide.account import LiveAccount
from engine.decide.least_draws import LeastDraws
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId
from engine.domain.low_balances import BalanceTurn
from engine.domain.orders_told import VenueSeen
from engine.domain.plans import wallet_of
from engine.domain.told import WalletSeen
from engine.portfolio.low_balances import LowBalances

Before = Mapping[Place, Decimal]
"""What our books had at each place before they were put right."""


class LivePlaces:
    """Finds places that ran low or are enough again."""

    def __init__(self, live: LiveAccount, low: LowBalances, draws: LeastDraws) -> None:
        self._live = live
        self._low = low
        self._draws = draws

    def before(self, venue: VenueId) -> Before:
        """Return what the books have at a venue, or a wallet, at places that were opened."""
        return {
            one.place: one.held.value
            for one in self._live.inventory.holdings
            if one.venue == venue and self._live.wallets.is_open(one.place)
        }

    def at_venue(self, seen: VenueSeen, before: Before) -> Iterator[BalanceTurn]:
        """Judge what a venue shows, once the books are put right by it."""
        free = {(seen.venue, one.asset): one.free for one in seen.held}
        yield from self._judge(seen.venue, free, before)

    def at_wallet(self, seen: WalletSeen, before: Before) -> Iterator[BalanceTurn]:
        """Judge what a chain shows of its wallet; nothing is drawn on the recovery address."""
        wallet = wallet_of(seen.chain)
        free = {(one.venue, one.asset): one.amount for one in seen.held}
        yield from self._judge(wallet, free, before)

    def _judge(
        self, venue: VenueId, free: Mapping[Place, Decimal], before: Before
    ) -> Iterator[BalanceTurn]:
        for place in self.before(venue):
            if self._live.under_way.reserved(place):
                continue
            turn = self._low.judge(
                place,
                free=free.get(place, Decimal(0)),
                before=before.get(place),
                draws=self._draws.at(place),
            )
            if turn is not None:
                yield turn
