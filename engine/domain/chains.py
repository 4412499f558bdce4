"""Chains by name: in what each is paid, and at which price as long as nobody says another."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.domain.assets import AssetCode

NATIVE_ASSETS: Final[Mapping[str, AssetCode]] = {
    "ethereum": AssetCode("ETH"),
    "base": AssetCode("ETH"),
    "arbitrum": AssetCode("ETH"),
    "optimism": AssetCode("ETH"),
    "bnb": AssetCode("BNB"),
    "polygon": AssetCode("POL"),
}

GAS_PRICES_GWEI: Final[Mapping[str, Decimal]] = {"ethereum": Decimal(10)}
"""Assumed where the settings name no price. A chain without any has its pools in no route."""
