"""What the operator allows the signer, by the settings."""

from decimal import Decimal
from typing import Final

from engine.domain.chains import CHAINS, TEST_NETWORKS
from engine.domain.errors import SettingsError
from engine.domain.networks import Network
from engine.domain.units import NATIVE_DECIMALS
from engine.settings.schema import Settings, environment_name
from engine.signing.terms import SigningTerms
from engine.signing.venue_terms import ExchangeTerms
from engine.wiring.mixed_terms import why_mixed_shut

NOTIONAL_DAY_USD: Final = Decimal(100_000)
"""USD of a day where the operator has not said, and no money is real."""


def signing_terms(settings: Settings) -> SigningTerms:
    """Translate what the operator allows.

    Raises:
        SettingsError: signing is off, or is for another market than there is.
    """
    own = settings.signer
    if own.signs == "off":
        raise SettingsError(
            f"{environment_name('signer', 'signs')} is off: nothing is signed, and no role is there"
            " that could"
        )
    network = Network(own.signs)
    if (settings.markets.source == "sandbox") != (network is Network.SANDBOX):
        raise SettingsError(_other_market(settings))
    contracts: dict[str, dict[str, str]] = {}
    for place, code_hash in own.contracts.items():
        chain, _, address = place.partition(":")
        contracts.setdefault(chain, {})[address.lower()] = code_hash.lower()
    names = [*dict.fromkeys([*contracts, *own.gas_day])]
    known = TEST_NETWORKS if network is Network.TEST else CHAINS
    if others := [name for name in names if name not in known]:
        raise SettingsError(
            f"{environment_name('signer', 'signs')} is {network}, and {', '.join(others)} is none"
            f" of those: {', '.join(known)}"
        )
    usd = own.notional_day_usd
    if usd is None:
        usd = Decimal(0) if network is Network.MAIN else NOTIONAL_DAY_USD
    return SigningTerms(
        chain_ids={name: known[name].chain_id for name in names},
        network=network,
        contracts=contracts,
        gas_day_wei={
            name: int(amount.scaleb(NATIVE_DECIMALS)) for name, amount in own.gas_day.items()
        },
        notional_day_usd=usd,
        signatures_day=own.signatures_day,
        tip_bps_max=own.tip_bps_max,
        usd_least=own.usd_least,
        signs_mixed=not why_mixed_shut(settings),
    )


def terms_of_no_chain(exchange: ExchangeTerms) -> SigningTerms:
    """Return terms by which no transaction is signed; what orders move has the cap of exchanges."""
    return SigningTerms(
        chain_ids={},
        contracts={},
        gas_day_wei={},
        notional_day_usd=exchange.notional_day_usd,
        signatures_day=0,
    )


def _other_market(settings: Settings) -> str:
    name, signs = environment_name("signer", "signs"), settings.signer.signs
    if settings.markets.source == "sandbox":
        return (
            f"{name} is {signs}, and the markets are the sandbox's: what is signed for its"
            f" opportunities there is {name}=sandbox"
        )
    return (
        f"{name} is sandbox, and the markets are live: what is signed for the sandbox's chains"
        " could be sent to real ones"
    )
