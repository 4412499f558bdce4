"""What the operator allows at exchanges, by the settings."""

from decimal import Decimal
from typing import Final

from engine.domain.errors import SettingsError
from engine.gateways.gateway_list import GATEWAYS
from engine.settings.schema import Settings, environment_name
from engine.signing.venue_terms import NO_EXCHANGES, ExchangeTerms
from engine.wiring.mixed_terms import why_mixed_shut
from engine.wiring.signing_roles import trades_at_exchanges

NOTIONAL_DAY_USD: Final = Decimal(1_000_000)
EXPOSURE_USD: Final = Decimal(25_000)
"""Where the operator has not said, and no money is real."""


def exchange_terms(settings: Settings) -> ExchangeTerms:
    """Translate what the operator allows; nothing where trading at exchanges is off.

    Raises:
        SettingsError: it is for another market than there is, or says too little.
    """
    own = settings.exchanges
    if not trades_at_exchanges(settings):
        return NO_EXCHANGES
    is_real = own.trades == "real"
    if is_real == (settings.markets.source == "sandbox"):
        raise SettingsError(
            f"{environment_name('exchanges', 'trades')} is {own.trades}, and the markets are"
            f" {'the sandbox' if is_real else 'live'}: orders go where the books come from"
        )
    venues = tuple(own.venues)
    if not venues and is_real:
        raise SettingsError(
            f"{environment_name('exchanges', 'venues')} names no exchange: at real ones nothing is"
            " traded that you have not named"
        )
    venues = venues or tuple(name for name in settings.markets.venues if name in GATEWAYS)
    usual = Decimal(0) if is_real else NOTIONAL_DAY_USD
    return ExchangeTerms(
        is_real=is_real,
        venues=venues,
        notional_day_usd=usual if own.notional_day_usd is None else own.notional_day_usd,
        orders_day=own.orders_day,
        exposure_usd={
            name: own.exposure_usd.get(name, Decimal(0) if is_real else EXPOSURE_USD)
            for name in venues
        },
        signs_mixed=not why_mixed_shut(settings),
        usd_least=settings.signer.usd_least,
        vouched=own.vouched,
    )
