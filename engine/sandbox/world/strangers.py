"""Tokens that somebody makes to be bought and never sold: what a chain is full of.

Each has a pair with the wrapped coin, rich enough to be worth following, so that one sees what is
refused and why. Nobody trades there. The code is of `contracts/tokens`, compiled and kept beside
this file (`python -m tests.chains.safety.shipped`), as no compiler is at hand where it runs.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

from engine.domain.dexes import Dex
from engine.sandbox.world.site import Site, short_string

CODES: Final = Path(__file__).with_name("strangers.json")
SIDE_USD: Final = Decimal(50_000)
_NAME_SLOT: Final = 0
_SYMBOL_SLOT: Final = 1


class Stranger(NamedTuple):
    """A token of `contracts/tokens`.

    Attributes:
        symbol: what it calls itself; as its source says if empty.
    """

    code: str
    symbol: str
    name: str


STRANGERS: Final = (
    Stranger("Honeypot", "MOON", "To The Moon"),
    Stranger("SellTax10", "TEN", "Ten Percent"),
    Stranger("LaterTax", "LATER", "Sell Later"),
    Stranger("Pausable", "HALT", "Full Stop"),
    Stranger("Blacklist", "CLUB", "Members Club"),
    Stranger("FakeDollar", "", ""),
)


def list_strangers(site: Site) -> None:
    """Deploy them, with a pair each at the first DEX that takes pairs."""
    codes = json.loads(CODES.read_bytes())
    dex = next(one for one in site.dexes if one.name == "Uniswap V2")
    for one in STRANGERS:
        token = site.hands.deploy(codes[one.code])
        site.hands.flush()
        if one.symbol:
            for slot, text in ((_NAME_SLOT, one.name), (_SYMBOL_SLOT, one.symbol)):
                site.hands.rpc.ask("anvil_setStorageAt", token, hex(slot), short_string(text))
        pool = _pair(site, dex, token)
        if site.hands.read(token, "owner()", ("address",)) == site.hands.me:  # it wants to know
            site.hands.send(token, "setPair(address)", pool)
    site.hands.flush()


def _pair(site: Site, dex: Dex, token: str) -> str:
    hands, wrapped = site.hands, site.wrapped
    hands.send(dex.factory, "createPair(address,address)", token, wrapped.address)
    pool = hands.read(dex.factory, "getPair(address,address)", ("address",), token, wrapped.address)
    supply = hands.read(token, "balanceOf(address)", ("uint256",), hands.me)
    hands.send(token, "transfer(address,uint256)", pool, supply // 2)
    hands.send(
        wrapped.address, "transfer(address,uint256)", pool, site.worth_raw(wrapped, SIDE_USD)
    )
    hands.send(pool, "mint(address)", hands.me)
    return str(pool)
