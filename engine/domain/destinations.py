"""Where what is ours may be brought: addresses that the operator wrote down, checked one by one.

An entry says the place, the asset, the chain that brings it there, and the address. What is brought
to a wrong address is gone, so what cannot be checked is refused: chains of which nothing is known
here, an asset on a chain that is not its own, a venue's address without the tag that it needs.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from engine.domain.addresses import check_bitcoin, check_evm, check_ripple, check_solana
from engine.domain.assets import AssetCode
from engine.domain.chains import CHAINS
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId

_TAG_MAX: Final = 2**32 - 1


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """An address that is allowed.

    Attributes:
        venue: whose account it fills, or the wallet of a chain.
        chain: that brings it there.
        memo: the tag by which a venue knows whose it is, empty where the chain has none.
    """

    venue: VenueId
    asset: AssetCode
    chain: str
    address: str
    memo: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A chain that brings assets to addresses.

    Attributes:
        check: raises `BadValueError` with what is wrong with an address.
        has_tokens: it carries more than its native asset.
        needs_tag: accounts at a venue share one address there, and are told apart by a number.
    """

    native: AssetCode
    check: Callable[[str], None]
    has_tokens: bool
    needs_tag: bool = False


CARRIERS: Final[Mapping[str, Carrier]] = {
    **{
        name: Carrier(native=facts.native, check=check_evm, has_tokens=True)
        for name, facts in CHAINS.items()
    },
    "bitcoin": Carrier(native=AssetCode("BTC"), check=check_bitcoin, has_tokens=False),
    "solana": Carrier(native=AssetCode("SOL"), check=check_solana, has_tokens=True),
    "ripple": Carrier(
        native=AssetCode("XRP"), check=check_ripple, has_tokens=False, needs_tag=True
    ),
}
"""Each chain that is known, by its name here; a venue may call it otherwise."""

_NATIVE: Final = frozenset(carrier.native for carrier in CARRIERS.values())


def parse_destinations(
    said: Mapping[str, str], *, exchanges: Collection[str]
) -> tuple[Destination, ...]:
    """Return the addresses that are allowed.

    Args:
        said: by ``coinbase/USDC/base`` the address; a tag stands behind it, as ``rADDRESS:123``.
        exchanges: venues that have an account of ours.

    Raises:
        BadValueError: an entry cannot be right; it says which, and why.
    """
    return tuple(_parse(key, value, exchanges) for key, value in said.items())


def destinations_of(
    allowed: Collection[Destination], *, venue: VenueId, asset: AssetCode
) -> tuple[Destination, ...]:
    """Return where an asset may be brought to reach a place."""
    return tuple(one for one in allowed if (one.venue, one.asset) == (venue, asset))


def _parse(key: str, value: str, exchanges: Collection[str]) -> Destination:
    parts = key.split("/")
    if len(parts) != 3:  # noqa: PLR2004
        raise BadValueError(f"{key[:60]!r} is no place, asset and chain, as coinbase/USDC/base")
    venue, asset, chain = parts
    carrier = CARRIERS.get(chain)
    if carrier is None:
        raise BadValueError(
            f"{key}: nothing is known of addresses of {chain!r}, of {', '.join(CARRIERS)} it is"
        )
    if venue not in exchanges and not (venue == chain and chain in CHAINS):
        raise BadValueError(
            f"{key}: {venue!r} is no exchange where orders can be placed"
            f" ({', '.join(exchanges)}), nor the wallet on {chain}, which is called {chain}"
        )
    is_own = asset == carrier.native
    if not is_own and (asset in _NATIVE or not carrier.has_tokens):
        raise BadValueError(f"{key}: {chain} does not carry {asset} itself")
    address, _, memo = value.partition(":")
    try:
        carrier.check(address)
        _check_memo(memo, carrier)
    except BadValueError as error:
        raise BadValueError(f"the address of {key}: {error}") from error
    return Destination(
        venue=VenueId(venue), asset=AssetCode(asset), chain=chain, address=address, memo=memo
    )


def _check_memo(memo: str, carrier: Carrier) -> None:
    if not carrier.needs_tag:
        if memo:
            raise BadValueError("its chain knows no tag, so it cannot be what you think it is")
        return
    if not (
        memo.isascii()
        and memo.isdigit()
        and len(memo) <= len(str(_TAG_MAX))
        and int(memo) <= _TAG_MAX
    ):
        raise BadValueError(
            f"the venue's tag is missing, as rADDRESS:123, or is no number up to {_TAG_MAX}; what"
            " comes without it is credited to nobody"
        )
