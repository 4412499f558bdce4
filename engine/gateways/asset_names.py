"""What venues call assets, as the rest of the program calls them."""

from collections.abc import Mapping
from typing import Final

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId

_KRAKEN: Final[Mapping[str, str]] = {
    "XXBT": "BTC",
    "XBT": "BTC",
    "XXDG": "DOGE",
    "XDG": "DOGE",
    **{f"X{code}": code for code in ("ETH", "LTC", "XRP", "XLM", "XMR", "ZEC", "ETC", "REP")},
    **{f"Z{code}": code for code in ("USD", "EUR", "GBP", "CAD", "JPY", "AUD")},
}
"""Assets of its first years have names of four letters; all others are called as everywhere."""

_NAMES: Final[Mapping[str, Mapping[str, str]]] = {"kraken": _KRAKEN}


def asset_of(venue: VenueId, name: str) -> AssetCode:
    """Return the asset that a venue calls so."""
    code = name.upper()
    return AssetCode(_NAMES.get(venue, {}).get(code, code))
