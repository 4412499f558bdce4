"""Set up a run: venues with their instruments and addresses, state from before, the header."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from engine.bus.records import EngineState, LoadState
from engine.bus.request import Caller
from engine.connectors.by_ccxt.names import exchange_of
from engine.connectors.limiter import Limiter
from engine.connectors.outbound import Outbound
from engine.connectors.rest import RestClient, RestLimits
from engine.connectors.specs import spec_of
from engine.core.inputs.switched import ControlState
from engine.decide.approvals import ApprovalRules
from engine.decide.limit_list import LIMITS, terms_of
from engine.decide.mixed_gate import ON_PAPER
from engine.domain.assets import AssetCode
from engine.domain.bridges import Bridge
from engine.domain.chains import GAS_PRICES_GWEI
from engine.domain.drawdown import parse_since
from engine.domain.errors import BadValueError, FatalError, TransientError
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.modes import Mode
from engine.domain.traffic import METERS
from engine.domain.units import NS_PER_DAY, NS_PER_MS, NS_PER_S
from engine.operate.clock import Clock
from engine.operate.recording import FORMAT_VERSION
from engine.operate.run_header import RunHeader, RunTerms, StreamSpec, VenueTerms
from engine.pools.snapshots import PoolSnapshot
from engine.ports import Listed, VenueSpec
from engine.settings.schema import MarketsSettings, Settings
from engine.wiring.capital import capital_of, check_capital, wallet_capital
from engine.wiring.ccxt_venues import as_ccxt_says, ccxt_pairs, ccxt_specs
from engine.wiring.chain_nodes import chains_of
from engine.wiring.chains import block_terms
from engine.wiring.lists import fetch_list
from engine.wiring.markets import (
    ChainSource,
    basis_of,
    fee_bps_taker,
    market_note,
    pools_of,
    read_announcement,
)
from engine.wiring.paths import Paths
from engine.wiring.version import version_text

log = logging.getLogger(__name__)

START_S: Final = 30.0
LEDGER_TRIES: Final = 20
LEDGER_RETRY_S: Final = 0.25
LATENCY_MS_LEAST: Final = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueAccess:
    """How to reach one venue's feed.

    Attributes:
        listing: what it listed at the start, nothing if it did not answer; it may later.
        why: why it listed nothing.
    """

    spec: VenueSpec
    feed: str
    websocket_url: str
    proxy: str | None
    rest: RestClient
    pairs: Sequence[str]
    listing: Sequence[Listed]
    why: str

    @property
    def instruments(self) -> list[Instrument]:
        """All instruments of the run at this venue, those that are closed now too."""
        return [one.instrument for one in self.listing]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenVenues:
    """The venues of a run, and notes on those that it cannot have.

    Attributes:
        pools: pools as they are at the start.
        chains: where the blocks of their chains come from.
    """

    access: Sequence[VenueAccess]
    notes: dict[VenueId, str]
    market_note: str
    pools: Sequence[PoolSnapshot]
    chains: Mapping[str, ChainSource] = field(default_factory=dict)


async def open_venues(
    settings: Settings, paths: Paths, outbound: Outbound, clock: Clock
) -> OpenVenues:
    """Fetch every venue's instruments; a venue that does not answer has none at first.

    Raises:
        FatalError: a venue or feed of the settings is unknown.
        TransientError: no venue at all answers.
    """
    try:
        specs = [*(spec_of(name) for name in settings.markets.venues), *ccxt_specs(settings)]
    except BadValueError as error:
        raise FatalError(f"{error} (markets.venues)") from error
    found = await asyncio.gather(
        *(_open_venue(settings, paths, outbound, clock, spec) for spec in specs)
    )
    access = [one for one in found if isinstance(one, VenueAccess)]
    notes: dict[VenueId, str] = {}
    silent: dict[VenueId, str] = {}
    for spec, result in zip(specs, found, strict=True):
        if not isinstance(result, VenueAccess):
            notes[spec.venue] = silent[spec.venue] = result
        elif result.why:
            silent[spec.venue] = result.why
    for venue, why in silent.items():
        log.warning("%s has no instruments: %s", venue, why)
    if len(silent) == len(specs):
        raise TransientError(
            "no venue can be reached: "
            + "; ".join(f"{venue}: {why}" for venue, why in silent.items())
        )
    return OpenVenues(
        access=access,
        notes=notes,
        market_note=market_note(settings, paths),
        pools=pools_of(settings, paths),
        chains=chains_of(settings, paths),
    )


async def load_state(
    ledger: Caller, *, at_ns: int, engine_id: str, drawdown_since_ns: int = 0
) -> EngineState:
    """Ask the ledger for what earlier runs left; waits a few seconds for it to come up.

    Raises:
        TransientError: the ledger does not answer.
    """
    for attempt in range(LEDGER_TRIES):
        try:
            return await ledger.call(
                LoadState(
                    day_start_ns=at_ns - at_ns % NS_PER_DAY,
                    engine_id=engine_id,
                    drawdown_since_ns=drawdown_since_ns,
                )
            )
        except TransientError:
            if attempt == LEDGER_TRIES - 1:
                raise
            await asyncio.sleep(LEDGER_RETRY_S)
    raise AssertionError("the loop above returns or raises")


async def begin_run(
    settings: Settings,
    venues: OpenVenues,
    ledger: Caller,
    clock: Clock,
    *,
    sends_approved: bool = False,
    trades: Mapping[VenueId, Decimal] | None = None,
    mixed_shut: str = ON_PAPER,
) -> tuple[EngineState, RunHeader]:
    """Load what earlier runs left and make the header, both of one instant.

    What was realised is of the day of that instant, however long the ledger takes to say it.
    `sends_approved` says whether this engine may have transactions sent, `trades` at which venues
    orders are placed, and the most in USD at risk at each, `mixed_shut` why not both together.

    Raises:
        TransientError: the ledger does not answer.
        FatalError: drawdown is to count since an instant that is none, or still to come.
    """
    at_ns = clock()
    try:
        since_ns = parse_since(settings.limits.drawdown_since, at_ns=at_ns)
    except BadValueError as error:
        raise FatalError(f"SYNDICATE_LIMITS_DRAWDOWN_SINCE is wrong: {error}") from error
    state = await load_state(
        ledger, at_ns=at_ns, engine_id=settings.engine.id, drawdown_since_ns=since_ns
    )
    return state, make_header(
        settings,
        venues,
        state,
        at_ns=at_ns,
        sends_approved=sends_approved,
        trades=trades,
        mixed_shut=mixed_shut,
    )


def make_header(
    settings: Settings,
    venues: OpenVenues,
    state: EngineState,
    *,
    at_ns: int,
    sends_approved: bool = False,
    trades: Mapping[VenueId, Decimal] | None = None,
    mixed_shut: str = ON_PAPER,
) -> RunHeader:
    """Make the header of a run."""
    instruments: list[Instrument] = []
    streams = []
    for access in venues.access:
        books = list(range(len(instruments), len(instruments) + len(access.instruments)))
        instruments += access.instruments
        streams.append(StreamSpec(venue=access.spec.venue, feed=access.feed, books=books))
    check_capital(settings.paper, instruments)
    mode = state.mode or Mode(settings.paper.mode_at_first_start)
    if mode is Mode.LIVE:  # each start begins without real money; a person goes up again
        mode = Mode.PAPER
    return RunHeader(
        format_version=FORMAT_VERSION,
        run_id=state.run_id,
        engine_id=settings.engine.id,
        basis=basis_of(settings),
        market_note=venues.market_note,
        started_at_ns=at_ns,
        version=version_text(),
        instruments=instruments,
        streams=streams,
        pools=list(venues.pools),
        bridges=_bridges(settings),
        terms=_terms(
            settings,
            venues,
            sends_approved=sends_approved,
            trades=trades or {},
            mixed_shut=mixed_shut,
        ),
        control=ControlState(mode=mode, is_paused=state.is_paused),
        limits=state.limits,
        off=state.off,
        fees=state.fees,
        capital=[
            *capital_of(settings.paper, instruments),
            *wallet_capital(
                settings.paper, instruments, venues.chains, (one.pool for one in venues.pools)
            ),
        ],
        realised_today_usd=Decimal(state.realised_today_usd),
        residuals=state.residuals,
        last_prices=state.last_prices,
        open_plans=state.open_plans,
        holdings=state.holdings,
        live=state.live,
        drawdown_usd=state.drawdown_usd,
        gas_today_usd=state.gas_today_usd,
        sent_at_ns=state.sent_at_ns,
        failures=state.failures,
        edge=state.edge,
    )


async def _open_venue(
    settings: Settings,
    paths: Paths,
    outbound: Outbound,
    clock: Clock,
    spec: VenueSpec,
) -> VenueAccess | str:
    through_ccxt = exchange_of(spec.venue)
    try:
        if through_ccxt:
            spec = await as_ccxt_says(spec, paths, outbound, clock)
    except TransientError as error:
        return str(error)
    feed = settings.markets.feeds.get(spec.venue, next(iter(spec.feeds)))
    if feed not in spec.feeds:
        raise FatalError(
            f"unknown feed {feed!r} of {spec.venue} in markets.feeds; known: "
            f"{', '.join(spec.feeds)}"
        )
    websocket_url, rest_url = spec.websocket_urls[feed], spec.rest_url
    pairs: Sequence[str] = settings.markets.pairs
    if through_ccxt:
        pairs = ccxt_pairs(settings, paths, spec.venue)
    if settings.markets.source == "sandbox":
        sandbox = read_announcement(paths)
        if (through_ccxt or spec.venue) not in sandbox.rest_urls:
            return "the sandbox does not have it"
        if not through_ccxt:
            websocket_url = sandbox.websocket_urls[spec.venue][feed]
            rest_url, pairs = sandbox.rest_urls[spec.venue], sandbox.pairs[spec.venue]
    rest = RestClient(
        client=outbound.client_for(rest_url),
        base_url=rest_url,
        limiter=Limiter(spec.budget, now_ns=clock, meter=METERS.of(f"venue/{spec.venue}")),
        limits=RestLimits(),
    )
    listing: Sequence[Listed] = ()
    why = ""
    try:
        # One slow or banned venue must not hold up the others.
        async with asyncio.timeout(START_S):
            listing = await fetch_list(spec, rest, pairs)
    except (TransientError, TimeoutError) as error:
        why = str(error) or rest.limiter.note() or f"no answer within {START_S:g} s"
    return VenueAccess(
        spec=spec,
        feed=feed,
        websocket_url=websocket_url,
        proxy=outbound.websocket_proxy(websocket_url),
        rest=rest,
        pairs=pairs,
        listing=listing,
        why=why,
    )


def _bridges(settings: Settings) -> list[Bridge]:
    try:
        pairs = [(Pair.parse(name), bps) for name, bps in settings.routes.bridges.items()]
        return [
            Bridge(
                assets=(pair.base, pair.quote), cost_bps=bps, cost_usd=settings.routes.bridge_usd
            )
            for pair, bps in pairs
        ]
    except BadValueError as error:
        raise FatalError(f"SYNDICATE_ROUTES_BRIDGES is wrong: {error}") from error


def _limits(settings: Settings) -> dict[str, Decimal]:
    """Return what the settings say of limits; `decide/limit_list.py` says where it is there."""
    return {
        term.name: Decimal(getattr(getattr(settings, term.section), term.name))
        for term in terms_of(LIMITS)
    }


def _waits_for_intents(settings: MarketsSettings) -> bool:
    """Say whether orders wait for the ledger, whose time is real: not while a sandbox runs ahead.

    There the market would move on by so many times the wait.
    """
    return settings.source == "live" or settings.sandbox_speed <= 1


def _assumed_gas(sources: Mapping[str, ChainSource]) -> dict[str, Decimal]:
    """Return what gas is reckoned to cost until a chain tells, where none will."""
    return {
        chain: gwei
        for chain, gwei in GAS_PRICES_GWEI.items()
        if chain not in sources or not sources[chain].tells_gas
    }


def _terms(
    settings: Settings,
    venues: OpenVenues,
    *,
    sends_approved: bool,
    trades: Mapping[VenueId, Decimal],
    mixed_shut: str,
) -> RunTerms:
    factor = settings.paper.latency_factor
    return RunTerms(
        venues={
            access.spec.venue: VenueTerms(
                fee_bps_taker=fee_bps_taker(settings, access.spec.venue, access.spec.fee_bps_taker),
                latency_ms_median=max(access.spec.latency_ms_median * factor, LATENCY_MS_LEAST),
                latency_ms_p99=max(access.spec.latency_ms_p99 * factor, LATENCY_MS_LEAST),
                buy_fee=access.spec.buy_fee,
            )
            for access in venues.access
        },
        transfer_bps=settings.costs.transfer_bps,
        limits=_limits(settings),
        audit_s=settings.markets.audit_s,
        seed=settings.paper.seed,
        legs_max=settings.routes.legs_max,
        flash_fee_bps=settings.routes.flash_fee_bps,
        gas_prices_gwei={**_assumed_gas(venues.chains), **settings.routes.gas_price_gwei},
        gas_stale_ms=settings.chains.gas_stale_s * NS_PER_S // NS_PER_MS,
        chains=block_terms(venues.chains, settings.chains),
        waits_for_intents=_waits_for_intents(settings.markets),
        late_fill_ratio=settings.paper.late_fill_ratio,
        approvals=ApprovalRules(
            wait_s=settings.approvals.wait_s,
            usd_min=settings.approvals.usd_min,
            two_operators_usd=settings.approvals.two_operators_usd or None,
        ),
        sends_approved=sends_approved,
        sends_live=sends_approved,
        trades=dict(trades),
        mixed_shut=mixed_shut,
        low_balance={AssetCode(k): v for k, v in settings.exchanges.low_balance.items()},
        kelly_ratio=settings.limits.kelly_ratio,
    )
