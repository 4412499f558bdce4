"""What has to be so before an order is signed for a real exchange; see `gates.py` for chains.

Each gate is one function that says what is missing, and is asked twice: by the engine when a person
goes live, so that the chat can tell, and by the signer, which believes nobody. The sandbox's
exchanges have none: their money is none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.domain.units import NS_PER_S
from engine.gateways.rights import why_no_trading_key
from engine.signing.venue_checked import VenueChecked
from engine.signing.venue_terms import ExchangeTerms

RECENT_S: Final = 24 * 3_600
"""A self-test or a reconciliation that is older says too little: a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueStanding:
    """How one exchange stands.

    Attributes:
        key: name of the key that signs; empty while nobody knows it.
        checked: what is known of the account; None if nothing is.
        has_code: whether an authenticator is enrolled.
    """

    venue: str
    terms: ExchangeTerms
    key: str
    checked: VenueChecked | None
    has_code: bool
    now_ns: int


def no_rights_read(at: VenueStanding) -> str:
    """The venue was asked what this very key may do."""
    if at.checked is None:
        return f"nobody asked {at.venue} what its key may do: {_step(at)}"
    if at.key and at.checked.key != at.key:
        return f"what {at.venue} said was of another key than signs now: {_step(at)}"
    return ""


def no_trading_key(at: VenueStanding) -> str:
    """The key may trade, and may not withdraw."""
    assert at.checked is not None
    is_vouched = at.terms.vouched.get(at.venue) == at.checked.key
    why = why_no_trading_key(at.checked.rights, is_vouched=is_vouched)
    return f"{at.venue}: {why}" if why else ""


def not_tested(at: VenueStanding) -> str:
    """An order far from the market was placed, looked up and cancelled within a day."""
    assert at.checked is not None
    return _not_recent(at, at.checked.tested_at_ns, "the self-test")


def not_reconciled(at: VenueStanding) -> str:
    """Orders, fills and balances there equalled our books within a day."""
    assert at.checked is not None
    return _not_recent(at, at.checked.reconciled_at_ns, "a clean reconciliation")


def no_usd_cap(at: VenueStanding) -> str:
    """The operator said what a day may move: that of the sandbox does not count here."""
    if at.terms.notional_day_usd > 0:
        return ""
    return (
        "no cap in USD is set for exchanges: SYNDICATE_EXCHANGES_NOTIONAL_DAY_USD, which has no"
        " default at real ones"
    )


def no_exposure(at: VenueStanding) -> str:
    """The operator said what may be at risk at this venue."""
    if at.terms.exposure_usd.get(at.venue, 0) > 0:
        return ""
    return (
        f"nothing says what may be at risk at {at.venue}:"
        f" SYNDICATE_EXCHANGES_EXPOSURE_USD={at.venue}=50"
    )


def no_orders(at: VenueStanding) -> str:
    """The operator allows any orders at all."""
    return "" if at.terms.orders_day > 0 else "SYNDICATE_EXCHANGES_ORDERS_DAY is 0"


def no_authenticator(at: VenueStanding) -> str:
    """An authenticator is enrolled, whose code going live takes."""
    return "" if at.has_code else "no authenticator is enrolled: make enroll"


Gate = Callable[[VenueStanding], str]

STANDING: Final[tuple[Gate, ...]] = (no_rights_read, no_trading_key)
"""Those that are asked of each order, too."""

OF_REAL: Final[tuple[Gate, ...]] = (
    *STANDING,
    not_tested,
    not_reconciled,
    no_usd_cap,
    no_exposure,
    no_orders,
    no_authenticator,
)


def first_missing(at: VenueStanding) -> str:
    """Say which gate is closed first; empty if none is."""
    if not at.terms.is_real:
        return ""
    return next((why for gate in OF_REAL if (why := gate(at))), "")


def missing_to_place(at: VenueStanding) -> str:
    """Say why no order is signed there now; empty if it may be."""
    if not at.terms.is_real:
        return ""
    return next((why for gate in STANDING if (why := gate(at))), "")


def _not_recent(at: VenueStanding, at_ns: int, what: str) -> str:
    if not at_ns:
        return f"{what} at {at.venue} is missing: {_step(at)}"
    age_s = (at.now_ns - at_ns) // NS_PER_S
    if 0 <= age_s <= RECENT_S:
        return ""
    return (
        f"{what} at {at.venue} was {age_s // 3_600} hours ago; it has to be within"
        f" {RECENT_S // 3_600}: {_step(at)}"
    )


def _step(at: VenueStanding) -> str:
    return f"make exchange-test VENUE={at.venue}"
