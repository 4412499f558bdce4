"""What the role that places orders has of one venue, put together by the settings."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import aiohttp

from engine.connectors.limiter import Limiter
from engine.connectors.specs import spec_of
from engine.domain.errors import BadValueError, SettingsError
from engine.domain.network import proxy_for
from engine.domain.orders_told import VenueMatter
from engine.domain.traffic import METERS, Meter
from engine.domain.units import NS_PER_MS
from engine.gateways.answers import Stop
from engine.gateways.gateway import Gateway
from engine.gateways.gateway_list import GATEWAYS, gateway_of
from engine.operate.clock import ELAPSED_NS, Clock
from engine.ports import RequestBudget
from engine.settings.schema import Settings, environment_name
from engine.trading.answers import AtVenue, TraderAnswers
from engine.trading.book import OrderBook
from engine.trading.checking import VenueCheck
from engine.trading.connections import Connections
from engine.trading.desk import VenueDesk
from engine.trading.line import Line, Sign
from engine.trading.standing import Standing
from engine.trading.stream import VenueStream
from engine.trading.venue_work import VenueWork
from engine.trading.wire import HttpWire
from engine.wiring.exchange_terms import exchange_terms
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueUrls:
    """Where an account is asked, and told of.

    Attributes:
        rest: base address of its interface; `stream` of its user stream.
        proxy: by which both are reached; None for directly.
    """

    rest: str
    stream: str
    proxy: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What all venues have in common."""

    settings: Settings
    book: OrderBook
    answers: TraderAnswers
    clock: Clock


def venue_urls(settings: Settings, paths: Paths) -> dict[str, VenueUrls]:
    """Return where the accounts of venues are asked at which orders are placed.

    Raises:
        SettingsError: no order may be placed here, or not there.
        TransientError: the sandbox has not announced itself.
    """
    terms = exchange_terms(settings)
    if not terms.venues:
        name = environment_name("exchanges", "trades")
        raise SettingsError(f"{name} is off: no order is placed, and no role is there that could")
    if terms.is_real:
        return {venue: _real_urls(venue, settings.network.proxy) for venue in terms.venues}
    said = read_announcement(paths)
    known = said.rest_urls.keys() & said.user_stream_urls.keys() & GATEWAYS.keys()
    if others := [venue for venue in terms.venues if venue not in known]:
        raise SettingsError(f"the sandbox has no accounts at {', '.join(others)}")
    return {
        venue: VenueUrls(rest=said.rest_urls[venue], stream=said.user_stream_urls[venue])
        for venue in terms.venues
    }


def _real_urls(venue: str, proxy: str | None) -> VenueUrls:
    try:
        rest = spec_of(venue).rest_url
        stream = gateway_of(venue).stream_url
    except BadValueError as error:
        raise SettingsError(str(error)) from error
    return VenueUrls(rest=rest, stream=stream, proxy=proxy_for(rest, proxy))


def made(
    gateway: Gateway,
    urls: VenueUrls,
    around: Around,
    *,
    connections: Connections,
    client: aiohttp.ClientSession,
    sign: Sign,
    warn: Callable[[VenueMatter, str], None],
) -> tuple[AtVenue, VenueStream]:
    """Put together what is done at a venue; nothing of it runs yet.

    Args:
        gateway: of the venue.
        urls: where its account is.
        around: what all venues have in common.
        connections: by which it is asked.
        client: opens its user stream.
        sign: asks the signer.
        warn: tells a person of it.
    """
    settings, answers, clock = around.settings, around.answers, around.clock
    pace, engine = gateway.pace, settings.engine.id
    meter = METERS.of(f"venue/{gateway.venue}")
    limiter = _limiter(pace.weight_per_s, pace.weight_burst, clock, meter)
    line = Line(
        gateway,
        HttpWire(connections, limiter),
        sign,
        engine=engine,
        limiter=limiter,
        order_limiter=_limiter(pace.orders_per_s, pace.orders_burst, clock),
        now_ms=elapsed_ms,
    )
    standing = Standing(venue=gateway.venue)
    desk = VenueDesk(
        venue=gateway.venue,
        rules=gateway.rules,
        book=around.book,
        now_ms=elapsed_ms,
        wall_ns=clock,
        warn=warn,
        told=answers.told.set,
    )
    work = VenueWork(
        desk=desk, line=line, why_not=answers.why_not, stopped=partial(_stopped, standing, warn)
    )
    own = settings.exchanges
    check = VenueCheck(
        desk=desk,
        work=work,
        book=around.book,
        standing=standing,
        engine_id=engine,
        # The sandbox's published keys open nothing that could be withdrawn.
        is_vouched=own.trades == "sandbox" or gateway.venue in own.vouched,
        warn=warn,
    )
    stream = VenueStream(
        work=work, client=client, base_url=urls.stream, engine=engine, repaired=check.soon.set
    )
    work.wants = stream.want
    return AtVenue(work=work, check=check, standing=standing), stream


def elapsed_ms() -> int:
    """Return the time by a clock that nobody sets."""
    return ELAPSED_NS() // NS_PER_MS


def _stopped(
    standing: Standing, warn: Callable[[VenueMatter, str], None], stop: Stop, why: str
) -> None:
    if standing.stop is None:
        warn(VenueMatter.STOPPED, f"{standing.venue} takes nothing more ({stop}): {why}")
    standing.stopped(stop, why)


def _limiter(per_s: float, burst: float, clock: Clock, meter: Meter | None = None) -> Limiter:
    budget = RequestBudget(weight_per_s=per_s, weight_burst=burst)
    return Limiter(budget, now_ns=clock, meter=meter)
