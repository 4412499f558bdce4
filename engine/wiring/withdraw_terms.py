"""What the operator allows to be withdrawn from exchanges, by the settings."""

from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.destinations import parse_destinations
from engine.domain.errors import BadValueError, SettingsError
from engine.domain.units import NS_PER_S
from engine.gateways.gateway_list import GATEWAYS
from engine.settings.schema import Settings, environment_name
from engine.signing.withdraw_terms import NO_WITHDRAWALS, WithdrawTerms
from engine.wiring.exchange_terms import exchange_terms

DELAY_S_MIN: Final = 60
"""With real money: time to see what was asked, and to stop it."""


def withdraw_terms(settings: Settings) -> WithdrawTerms:
    """Translate what the operator allows; nothing where no venue is named.

    Raises:
        SettingsError: no orders are placed at one of them, or it says too little.
    """
    own = settings.transfers
    if not own.venues:
        return NO_WITHDRAWALS
    exchange = exchange_terms(settings)
    if others := [one for one in own.venues if one not in exchange.venues]:
        raise SettingsError(
            f"{environment_name('transfers', 'venues')} names {', '.join(others)}, where no orders"
            f" are placed; they are at {', '.join(exchange.venues) or 'none'}"
        )
    if exchange.is_real and own.delay_s < DELAY_S_MIN:
        raise SettingsError(
            f"{environment_name('transfers', 'delay_s')} is {own.delay_s} s; with real money it is"
            f" {DELAY_S_MIN} s at least"
        )
    try:
        allowed = parse_destinations(settings.exchanges.destinations, exchanges=GATEWAYS)
    except BadValueError as error:
        raise SettingsError(str(error)) from error
    return WithdrawTerms(
        is_real=exchange.is_real,
        venues=tuple(own.venues),
        allowed=allowed,
        names=own.names,
        each={AssetCode(asset): amount for asset, amount in own.each.items()},
        day={AssetCode(asset): amount for asset, amount in own.day.items()},
        test={AssetCode(asset): amount for asset, amount in own.test.items()},
        delay_ns=own.delay_s * NS_PER_S,
        usd_least=settings.signer.usd_least,
        two_people_usd=settings.approvals.two_operators_usd or None,
        vouched=own.vouched,
    )
