"""The venues of a run that come through ccxt: which, and where the role `ccxt` has them."""

from dataclasses import replace

import msgspec

from engine.connectors.by_ccxt.messages import Terms
from engine.connectors.by_ccxt.names import exchange_of, venue_of
from engine.connectors.by_ccxt.spec import spec_by_ccxt
from engine.connectors.limiter import Limiter
from engine.connectors.outbound import Outbound
from engine.connectors.rest import RestClient, RestLimits
from engine.domain.errors import FatalError, TransientError
from engine.domain.instruments import BuyFee, VenueId
from engine.domain.traffic import METERS
from engine.operate.clock import Clock
from engine.ports import VenueSpec
from engine.settings.schema import Settings
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths

TERMS_PATH = "/terms"


class CcxtAnnouncement(msgspec.Struct, frozen=True):
    """On which port of loopback the role `ccxt` is."""

    port: int


def ccxt_specs(settings: Settings) -> list[VenueSpec]:
    """Return the venues that come through ccxt."""
    return [spec_by_ccxt(name) for name in settings.exchanges.ccxt]


def ccxt_port(paths: Paths) -> int:
    """Return the port of the role `ccxt`, or where it was when it ran last.

    Raises:
        TransientError: it has not announced itself.
        FatalError: the file cannot be understood.
    """
    path = paths.ccxt_announce
    try:
        return msgspec.json.decode(path.read_bytes(), type=CcxtAnnouncement).port
    except OSError as error:
        raise TransientError(f"the role ccxt has not announced itself at {path}") from error
    except msgspec.MsgspecError as error:
        raise FatalError(f"{path} cannot be understood: {error}") from error


def ccxt_pairs(settings: Settings, paths: Paths, venue: VenueId) -> list[str]:
    """Return which pairs of a venue through ccxt are followed; in the sandbox those it has.

    Raises:
        TransientError: the sandbox has not announced itself.
    """
    if settings.markets.source == "live":
        return settings.markets.pairs
    return read_announcement(paths).pairs.get(exchange_of(venue), [])


async def as_ccxt_says(
    spec: VenueSpec, paths: Paths, outbound: Outbound, clock: Clock
) -> VenueSpec:
    """Return a venue with its addresses at the role `ccxt`, its fee, and its better feed first.

    Raises:
        TransientError: the role does not answer.
    """
    name = exchange_of(spec.venue)
    host = f"127.0.0.1:{ccxt_port(paths)}"
    rest_url = f"http://{host}/{name}"
    rest = RestClient(
        client=outbound.client_for(rest_url),
        base_url=rest_url,
        limiter=Limiter(spec.budget, now_ns=clock, meter=METERS.of(f"venue/{spec.venue}")),
        limits=RestLimits(),
    )
    try:
        terms = msgspec.json.decode(await rest.get(TERMS_PATH), type=Terms)
    except msgspec.MsgspecError as error:
        raise TransientError(f"the terms of {venue_of(name)} cannot be read: {error}") from error
    return replace(
        spec,
        feeds={feed: spec.feeds[feed] for feed in sorted(spec.feeds, key=terms.feed.__ne__)},
        websocket_urls={feed: f"ws://{host}/{name}/{feed}" for feed in spec.feeds},
        rest_url=rest_url,
        fee_bps_taker=float(terms.fee_bps_taker),
        buy_fee=BuyFee.BASE if terms.is_fee_in_base else BuyFee.QUOTE,
    )
