"""The paper money that each venue and asset starts with, from the settings."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from engine.domain.assets import AssetCode
from engine.domain.chains import NATIVE_ASSETS
from engine.domain.errors import FatalError
from engine.domain.holdings import Capital
from engine.domain.instruments import Instrument, Kind, VenueId
from engine.domain.plans import wallet_of
from engine.domain.pools import Pool
from engine.domain.tokens import known_assets
from engine.portfolio.costs import EXACT, floor_to_quote_step
from engine.settings.schema import PaperSettings, environment_name


def check_capital(settings: PaperSettings, instruments: Sequence[Instrument]) -> None:
    """Refuse a start whose settings ask for what no venue in use has.

    Raises:
        FatalError: the settings name an asset that no instrument of a venue in use has.
    """
    assets = _assets_by_venue(instruments)
    for name in settings.capital_usd_at:
        venue, _, asset = name.partition(":")
        if asset and venue in assets and asset not in assets[VenueId(venue)]:
            raise FatalError(
                f"{environment_name('paper', 'capital_usd_at')} names {name}, but none of the "
                f"pairs in use at {venue} has {asset}; it has "
                f"{', '.join(sorted(assets[VenueId(venue)]))}"
            )


def capital_of(settings: PaperSettings, instruments: Sequence[Instrument]) -> list[Capital]:
    """Split each venue's capital evenly over the assets that it trades, unless told otherwise."""
    assets = _assets_by_venue(instruments)
    own_usd = settings.capital_usd_at
    return [
        Capital(
            venue=venue,
            asset=asset,
            usd=own_usd.get(f"{venue}:{asset}", _even(settings, venue, len(names))),
        )
        for venue, names in sorted(assets.items())
        for asset in sorted(names)
    ]


def wallet_capital(
    settings: PaperSettings,
    instruments: Sequence[Instrument],
    chains: Iterable[str],
    pools: Iterable[Pool] = (),
) -> list[Capital]:
    """Give each chain's wallet what mixed routes draw on, split evenly, and money for gas.

    Of the assets that books trade it has those of its pools, and those whose token is known there.
    """
    on_books = {asset for assets in _assets_by_venue(instruments).values() for asset in assets}
    in_pools: dict[str, set[AssetCode]] = {}
    for pool in pools:
        in_pools.setdefault(pool.chain, set()).update(pool.assets)
    capital = []
    for chain in sorted({*chains, *in_pools}):
        assets = on_books & (in_pools.get(chain, set()) | known_assets(chain))
        usd = {asset: _evenly(settings.wallet_usd, len(assets)) for asset in assets}
        native = NATIVE_ASSETS.get(chain)
        if native is not None:
            usd[native] = usd.get(native, Decimal(0)) + settings.gas_usd
        capital += [
            Capital(venue=wallet_of(chain), asset=asset, usd=usd[asset]) for asset in sorted(usd)
        ]
    return capital


def _assets_by_venue(instruments: Sequence[Instrument]) -> dict[VenueId, set[AssetCode]]:
    assets: dict[VenueId, set[AssetCode]] = {}
    for one in instruments:
        if one.kind is Kind.SPOT:
            assets.setdefault(one.venue, set()).update((one.pair.base, one.pair.quote))
    return assets


def _even(settings: PaperSettings, venue: VenueId, count: int) -> Decimal:
    return _evenly(settings.capital_usd_at.get(venue, settings.capital_usd), count)


def _evenly(usd: Decimal, count: int) -> Decimal:
    return floor_to_quote_step(EXACT.divide(usd, Decimal(count)))
