"""A venue's withdrawals: calls and readers beside its gateway, and by what an outcome is proven.

They are apart from trading, as another key signs them. Adding a venue is a file in its folder and a
line here; at a venue that has none nothing can be withdrawn, and that is said by its name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol, cast

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.venue_orders import KeyRights
from engine.domain.withdrawals import DepositShown, WithdrawalRequest, WithdrawalShown
from engine.gateways.answers import NotPlaced, Page, Unclear
from engine.gateways.calls import Call


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalTaken:
    """The venue took it; its money has left the account's free balance.

    Attributes:
        venue_id: the venue's own id of it.
    """

    venue_id: str


WithdrawalAnswer = WithdrawalTaken | NotPlaced | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawalProof:
    """By what a withdrawal of unknown outcome may end.

    Attributes:
        has_own_id: the venue lists our own id; else it is known by asset, address, amount and time.
        is_fenced: once a later call of the same key was answered, none that was signed before it is
            taken any more.
        late_ms_max: after this, counted from the signature, it cannot be taken any more.
        lag_ms_max: what was taken is listed after so long at the latest. Nobody publishes it, so it
            is far above what was seen of orders.
        absences_min: whole listings in a row without it, after the time above.
    """

    has_own_id: bool
    is_fenced: bool
    late_ms_max: int
    lag_ms_max: int = 120_000
    absences_min: int = 3


class Withdrawing(Protocol):
    """What a venue's folder has in `withdrawals`, as one value.

    Attributes:
        networks: by the chain's name here the venue's own; no other chain is served.
        needs_name: the venue knows addresses by names that were given to them there.
    """

    venue: VenueId
    proof: WithdrawalProof
    networks: Mapping[str, str]
    needs_name: bool

    def withdraw(self, request: WithdrawalRequest) -> Call:
        """Make the call that withdraws.

        Raises:
            BadValueError: the venue cannot be asked that: another chain, no name for the address.
        """
        ...

    def withdrawn(self, request: WithdrawalRequest, status: int, body: bytes) -> WithdrawalAnswer:
        """Read the answer to it."""
        ...

    def withdrawals(self, asset: AssetCode, since_ms: int) -> Call:
        """Make the call that lists withdrawals of an asset from an instant on."""
        ...

    def withdrawals_page(self, status: int, body: bytes) -> Page[WithdrawalShown] | Unclear:
        """Read the answer to it; one with more behind it is no whole listing."""
        ...

    def deposits(self, asset: AssetCode, since_ms: int) -> Call:
        """Make the call that lists what came in from an instant on."""
        ...

    def deposits_page(self, status: int, body: bytes) -> Page[DepositShown] | Unclear:
        """Read the answer to it."""
        ...

    def balance_name(self, asset: AssetCode) -> str:
        """Return what the venue calls an asset."""
        ...


WITHDRAWALS: Final[Mapping[str, str]] = {
    "binance": "BinanceWithdrawals",
    "kraken": "KrakenWithdrawals",
}
"""By venue the class in its folder's `withdrawals`."""

WHY_NOT: Final[Mapping[str, str]] = {
    "coinbase": "a send there goes by an account's own number and may want a code from a phone",
    "gemini": "its withdrawals are barred to keys of some countries, and its list was not read",
    "bitstamp": "what makes a second send of its withdrawals harmless is written nowhere",
}
"""Why nothing is withdrawn at venues where orders can be placed."""


def withdrawing_of(venue: str) -> Withdrawing:
    """Load one.

    Raises:
        BadValueError: nothing can be withdrawn at that venue.
    """
    if venue not in WITHDRAWALS:
        why = WHY_NOT.get(venue, "no orders can be placed there either")
        raise BadValueError(
            f"nothing is withdrawn at {venue[:20]}: {why}; it is at {', '.join(WITHDRAWALS)}"
        )
    module = import_module(f"engine.gateways.{venue}.withdrawals")
    return cast("Withdrawing", getattr(module, WITHDRAWALS[venue])())


def why_no_withdrawing_key(rights: KeyRights, *, is_vouched: bool = False) -> str:
    """Say why nothing may be withdrawn with a key; empty if it may be.

    One that may trade is refused, too: a venue holds withdrawals to addresses that were confirmed
    there, and whoever could trade with the same key could give the account away around that.

    Args:
        rights: as the venue says; `UNTOLD` where it says nothing.
        is_vouched: a person looked at the venue that it cannot trade. That counts only where the
            venue itself says nothing.
    """
    if rights.may_trade:
        return "the withdraw key may trade: make one that may read and withdraw, and nothing else"
    if rights.may_trade is None and not is_vouched:
        return (
            "the venue does not say whether the withdraw key may trade: look there, and name the"
            " key in SYNDICATE_TRANSFERS_VOUCHED if it may not"
        )
    if rights.may_withdraw is False:
        return "the withdraw key may not withdraw"
    return ""
