"""`python -m engine exchange-test`: all that has to be so before orders go to an exchange.

Each line passes, or is a sentence that says what to do. The running trader places one small order
that can only rest, far from the market, and cancels it. What the venue said of its key, and how all
of it went, is kept where the signer looks when a person goes live.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Final

from engine.bus.request import Caller
from engine.bus.signing import SignedVenue
from engine.bus.trading import TriedLine, TryVenue, VenueTried
from engine.bus.unix_socket import SocketCaller
from engine.connectors.limiter import Limiter
from engine.connectors.outbound import open_outbound
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.specs import spec_of
from engine.domain.errors import BadValueError, SettingsError, TransientError
from engine.domain.instruments import Instrument, Kind, VenueId
from engine.operate.clock import make_clock
from engine.requests.wallets import GetWallets
from engine.settings.schema import Settings
from engine.signing.venue_checked import VenueChecked, checked_venues, withdrawals_of
from engine.tools.prices import best_bids
from engine.wiring.exchange_terms import exchange_terms
from engine.wiring.lists import fetch_list
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths

Say = Callable[[str], None]

FAR: Final = Decimal("0.5")
"""Of the best bid: so far away nothing rests that is ever met, and venues take it all the same."""

ORDER_USD: Final = Decimal(12)
"""What the order could buy for: above what venues take at the least, which is 1 to 10."""

DOLLARS: Final = ("USD", "USDC", "USDT")
WANTED: Final = ("BTC", "ETH")


async def run_exchange_test(settings: Settings, paths: Paths, *, venue: str, say: Say) -> bool:
    """Say of each thing whether it is so; return whether all of them are.

    Raises:
        SettingsError: no orders are placed at that venue.
    """
    terms = exchange_terms(settings)
    if venue not in terms.venues:
        raise SettingsError(
            f"no orders are placed at {venue!r} by SYNDICATE_EXCHANGES_TRADES and _VENUES; they"
            f" are at {', '.join(terms.venues) or 'none'}"
        )
    signer = SocketCaller(paths.socket("signer"), role="signer")
    trader = SocketCaller(paths.socket("trader"), role="trader")
    try:
        key, withdraw_key, lines = await _key(signer, venue)
        tried = await _tried(settings, paths, trader, venue) if key else None
    except (TransientError, BadValueError) as error:
        key, withdraw_key, tried, lines = "", "", None, [TriedLine(is_so=False, text=str(error))]
    finally:
        await signer.aclose()
        await trader.aclose()
    if tried is not None:
        lines = [*lines, *tried.lines, _reconciled(tried, venue)]
    for one in lines:
        say(f"{'pass' if one.is_so else 'FAIL'}  {one.text}")
    failed = sum(not one.is_so for one in lines)
    if tried is not None and terms.is_real:
        checked_venues(paths.signer).keep(venue, _checked(key, tried))
        if tried.withdraw_rights is not None:
            known = VenueChecked(key=withdraw_key, rights=tried.withdraw_rights)
            checked_venues(paths.signer).keep(withdrawals_of(venue), known)
    say("all of it passes: /mode live, with its second step" if not failed else f"{failed} fail")
    return not failed


async def _key(signer: Caller, venue: str) -> tuple[str, str, list[TriedLine]]:
    try:
        report = await signer.call(GetWallets())
    except TransientError as error:
        text = f"the signer does not answer ({error}): make run"
        return "", "", [TriedLine(is_so=False, text=text)]
    named = SignedVenue(name=venue, key="")
    found = next((one for one in report.venues if one.name == venue), named)
    key = found.key
    if not key:
        text = f"the key of {venue} is locked: python -m engine keys unlock"
        return "", "", [TriedLine(is_so=False, text=text)]
    return (
        key,
        found.withdraw_key or "",
        [TriedLine(is_so=True, text=f"the signer signs for {venue} with {key}")],
    )


async def _tried(settings: Settings, paths: Paths, trader: Caller, venue: str) -> VenueTried:
    listed = await _listed(settings, paths, venue)
    instrument, bid = chosen(listed, await best_bids(paths), venue)
    price = instrument.floor_to_tick(bid * FAR)
    request = TryVenue(
        venue=VenueId(venue),
        client_order_id=f"test-{time.time_ns()}-{secrets.token_hex(3)}",
        wire_name=instrument.wire_name,
        size_base=size_of(instrument, price),
        price_limit=price,
        engine=settings.engine.id,
    )
    return await trader.call(request, timeout_s=request.timeout_s)


async def _listed(settings: Settings, paths: Paths, venue: str) -> list[Instrument]:
    """Return what the venue lists now.

    Raises:
        TransientError: it does not answer, or the sandbox does not run.
    """
    spec = spec_of(venue)
    url, pairs = spec.rest_url, list(settings.markets.pairs)
    if settings.markets.source == "sandbox":
        sandbox = read_announcement(paths)
        url, pairs = sandbox.rest_urls[venue], list(sandbox.pairs[venue])
    async with open_outbound(settings.network.proxy) as outbound:
        rest = RestClient(
            client=outbound.client_for(url),
            base_url=url,
            limiter=Limiter(spec.budget, now_ns=make_clock()),
            limits=RestLimits(),
        )
        listed = await fetch_list(spec, rest, pairs)
    return [one.instrument for one in listed if not one.closed]


def chosen(
    listed: Sequence[Instrument], bids: dict[tuple[str, str], Decimal], venue: str
) -> tuple[Instrument, Decimal]:
    """Return the instrument that is tried, and its best bid.

    Args:
        listed: instruments of the venue that may be traded now.
        bids: best bids of live books by venue and pair.
        venue: that is tried.

    Raises:
        TransientError: none against dollars has a live book in the running engine.
    """
    known = [
        (one, bids[venue, str(one.pair)])
        for one in listed
        if one.kind is Kind.SPOT and one.pair.quote in DOLLARS and (venue, str(one.pair)) in bids
    ]
    known.sort(key=lambda one: (one[0].pair.base not in WANTED, str(one[0].pair)))
    if not known:
        raise TransientError(
            f"no book of {venue} against dollars is live in the running engine: wait, or name a"
            " pair in SYNDICATE_MARKETS_PAIRS"
        )
    return known[0]


def size_of(instrument: Instrument, price: Decimal) -> Decimal:
    """Return the size of an order that the venue takes and that buys for little."""
    least = max(ORDER_USD, instrument.notional_min_quote * Decimal("1.1")) / price
    lots = (max(least, instrument.size_min_base) / instrument.lot_base).to_integral_value(
        ROUND_CEILING
    )
    return lots * instrument.lot_base


def _reconciled(tried: VenueTried, venue: str) -> TriedLine:
    if tried.reconciled_at_ns:
        return TriedLine(is_so=True, text=f"what {venue} shows is what is written")
    why = tried.why_not_reconciled or "it was not compared yet"
    return TriedLine(is_so=False, text=f"{venue} is not reconciled: {why}")


def _checked(key: str, tried: VenueTried) -> VenueChecked:
    is_well = all(one.is_so for one in tried.lines)
    return VenueChecked(
        key=key,
        rights=tried.rights,
        tested_at_ns=time.time_ns() if is_well else 0,
        reconciled_at_ns=tried.reconciled_at_ns,
    )
