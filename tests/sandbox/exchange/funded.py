"""Accounts of the sandbox between which money goes, each with a key that withdraws."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination
from engine.domain.instruments import VenueId
from engine.domain.withdrawals import WithdrawalRequest
from engine.gateways.calls import Call
from engine.gateways.withdrawing import WITHDRAWALS, Withdrawing, withdrawing_of
from engine.sandbox.exchange.addresses import deposit_address, deposit_tag
from engine.sandbox.exchange.doors.door import Answered
from engine.sandbox.exchange.funding import Funding, Network
from engine.sandbox.exchange.keys import withdraw_key_of
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.auth_list import authentication_of
from tests.sandbox.exchange.place import Place, asked_of, place_of

OTHER = {"binance": "kraken", "kraken": "binance"}
BTC = AssetCode("BTC")


def destination(venue: str, asset: str = "BTC", chain: str = "bitcoin") -> Destination:
    """Return the sandbox's address of a venue."""
    return Destination(
        venue=VenueId(venue),
        asset=AssetCode(asset),
        chain=chain,
        address=deposit_address(venue, chain),
        memo=deposit_tag(venue, chain),
    )


def name_of(to: Destination) -> str:
    """Return what the sandbox's exchanges call an address."""
    return f"{to.venue}-{to.asset}-{to.chain}".lower()


def request(source: str, amount: str = "0.5", to: Destination | None = None) -> WithdrawalRequest:
    """Return a withdrawal to the other venue."""
    to = to or destination(OTHER[source])
    return WithdrawalRequest(
        wire_id=f"11111111-2222-8333-8444-55555555555{len(amount)}",
        venue=VenueId(source),
        to=to,
        amount=Decimal(amount),
        named=name_of(to) if source == "kraken" else "",
    )


@dataclass
class Funded:
    """A venue, and its withdrawals as a client has them."""

    place: Place
    withdrawing: Withdrawing
    nonce: int = 0

    @property
    def funding(self) -> Funding:
        return self.place.door.funding

    def free(self, asset: str = "BTC") -> Decimal:
        return self.place.exchange.balances[asset].free

    def ask(self, call: Call, at_ms: int, *, is_trading_key: bool = False) -> Answered:
        """Ask with the key that withdraws."""
        if is_trading_key:
            return self.place.ask(call, at_ms)
        key = withdraw_key_of(self.place.venue)
        auth = authentication_of(self.place.venue, VenueKey(name=key.name, secret=key.secret))
        self.nonce += 1
        signed = auth.sign(call, now_ms=at_ms, nonce=self.nonce)
        return self.place.door.answer(asked_of(signed), at_ms)


@dataclass
class Both:
    """Both venues, with the chains between them."""

    venues: dict[str, Funded] = field(default_factory=dict)

    def advance(self, at_ms: int) -> None:
        for one in self.venues.values():
            one.place.door.advance(at_ms)


def both(venues: Iterable[str] = tuple(WITHDRAWALS)) -> Both:
    """Make them."""
    network, made = Network(), Both()
    for venue in venues:
        place = place_of(venue)
        place.door.withdraw_key = withdraw_key_of(venue).of_withdrawals
        network.join(place.door.funding)
        made.venues[venue] = Funded(place, withdrawing_of(venue))
    return made
