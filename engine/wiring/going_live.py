"""Whether transactions may be sent here, in a sentence that says what is missing.

The engine asks so that a person hears of it in the chat; the signer asks of its own accord.
"""

import time

from engine.domain.errors import FatalError, SettingsError
from engine.settings.schema import Settings, environment_name
from engine.signing.gates import Standing, first_missing
from engine.signing.self_tested import read_self_tests
from engine.signing.venue_checked import checked_venues
from engine.signing.venue_gates import VenueStanding
from engine.signing.venue_gates import first_missing as missing_at
from engine.wiring.exchange_terms import exchange_terms
from engine.wiring.paths import Paths
from engine.wiring.signing_roles import trades_at_exchanges
from engine.wiring.signing_terms import signing_terms


def may_sign(settings: Settings) -> bool:
    """Say whether there is anything that could be signed, whatever is missing still."""
    return not why_nothing_signed(settings)


def why_nothing_signed(settings: Settings) -> str:
    """Say why nothing can be signed by these settings; empty if something may be."""
    own = settings.signer
    if own.signs == "off":
        return f"nothing can be signed here: {environment_name('signer', 'signs')} is off"
    if not own.contracts:
        return (
            "no contract of ours is named that may be called:"
            f" {environment_name('signer', 'contracts')}"
        )
    try:
        signing_terms(settings)
    except SettingsError as error:
        return str(error)
    return ""


def why_not_live(settings: Settings, paths: Paths) -> str:
    """Say what is missing for transactions to be sent; empty if nothing is."""
    if settings.signer.signs == "off" and trades_at_exchanges(settings):
        return why_not_at_exchanges(settings, paths)
    if why := why_nothing_signed(settings):
        return why
    terms = signing_terms(settings)
    try:
        tested = read_self_tests(paths.signer)
    except FatalError as error:
        return str(error)
    for chain in terms.contracts:
        standing = Standing(
            chain=chain,
            terms=terms,
            tested=tested.get(chain),
            wallet="",
            has_code=settings.operator.totp_secret is not None,
            now_ns=time.time_ns(),
        )
        if why := first_missing(standing):
            return why
    return why_not_at_exchanges(settings, paths)


def why_not_at_exchanges(settings: Settings, paths: Paths) -> str:
    """Say what is missing for orders to be signed; empty if nothing is, or none are to be."""
    try:
        terms = exchange_terms(settings)
        checked = checked_venues(paths.signer).read() if terms.is_real else {}
    except (SettingsError, FatalError) as error:
        return str(error)
    for venue in terms.venues:
        standing = VenueStanding(
            venue=venue,
            terms=terms,
            key="",
            checked=checked.get(venue),
            has_code=settings.operator.totp_secret is not None,
            now_ns=time.time_ns(),
        )
        if why := missing_at(standing):
            return why
    return ""
