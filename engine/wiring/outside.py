"""Asks those who place orders and send transactions what of ours is open outside."""

from engine.bus.open_outside import OpenAtVenue, OpenOutside
from engine.bus.request import Caller
from engine.bus.trading import GetVenueOrders
from engine.domain.errors import SyndicateError
from engine.requests.transactions import GetTransactions

ASKED_S = 2.0
"""So long an answer is waited for: whoever killed is told soon, whatever hangs."""

LOOKED_THROUGH = 50
"""Newest transactions that are looked at; more are never under way at once."""


async def open_outside(*, trader: Caller | None, sender: Caller | None) -> OpenOutside:
    """Return what is open; never raises, and says what could not be asked."""
    venues, venues_why_not = await _venues(trader)
    transactions, transactions_why_not = await _transactions(sender)
    return OpenOutside(
        venues=venues,
        venues_why_not=venues_why_not,
        transactions=transactions,
        transactions_why_not=transactions_why_not,
    )


async def _venues(trader: Caller | None) -> tuple[tuple[OpenAtVenue, ...] | None, str]:
    if trader is None:
        return None, ""
    try:
        report = await trader.call(GetVenueOrders(most=0), timeout_s=ASKED_S)
    except SyndicateError as error:
        return (), str(error) or "no answer"
    return tuple(
        OpenAtVenue(
            venue=one.venue,
            open_count=one.open_count,
            unknown_count=one.unknown_count,
            compared_at_ns=one.reconciled_at_ns,
        )
        for one in report.venues
    ), ""


async def _transactions(sender: Caller | None) -> tuple[int | None, str]:
    if sender is None:
        return None, ""
    try:
        report = await sender.call(GetTransactions(most=LOOKED_THROUGH), timeout_s=ASKED_S)
    except SyndicateError as error:
        return 0, str(error) or "no answer"
    return sum(not one.fate for one in report.transactions), ""
