"""Whether orders together with a transaction are carried out for real, by the settings.

Engine, signer and what hands plans over ask the same here: one half is worth nothing without the
other, so that there is no installation in which one of them does its half alone.
"""

from typing import Final

from engine.settings.schema import Settings, environment_name
from engine.wiring.signing_roles import trades_at_exchanges

BOTH: Final = "orders together with a transaction are on paper"


def why_mixed_shut(settings: Settings) -> str:
    """Say why they stay on paper, whatever the mode; empty if they are carried out in mode live."""
    signer = settings.signer
    signs, trades = environment_name("signer", "signs"), environment_name("exchanges", "trades")
    if signer.signs == "off":
        return f"{BOTH}: no transaction is signed, {signs} is off"
    if not signer.contracts:
        named = environment_name("signer", "contracts")
        return f"{BOTH}: no contract of ours is named that could trade, {named}"
    if not trades_at_exchanges(settings):
        return f"{BOTH}: no order is placed, {trades} is off"
    if not (signer.signs == settings.exchanges.trades == settings.markets.source == "sandbox"):
        return f"{BOTH} outside of the sandbox: at real places nobody tried both halves yet"
    return ""
