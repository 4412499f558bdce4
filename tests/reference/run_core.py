"""A core built as the engine builds it, without connections, and the reports on it."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from engine.core.inputs.switched import ControlState
from engine.domain.chains import BlockTerms
from engine.domain.instruments import Instrument
from engine.domain.modes import Basis, Mode
from engine.operate.core_parts import Core
from engine.operate.engine_reports import EngineReports, Sights
from engine.operate.latency import LatencyRing
from engine.operate.recorder import Recorder
from engine.operate.recording import FORMAT_VERSION
from engine.operate.run_header import RunHeader, RunTerms, StreamSpec, VenueTerms
from engine.operate.world import ReplayedWorld
from engine.pools.snapshots import PoolSnapshot
from engine.wiring.core import Surroundings, build_core
from tests.reference.world import START_NS


def make_run_core(
    instruments: Sequence[Instrument],
    pools: Sequence[PoolSnapshot],
    streams: Sequence[StreamSpec] = (),
    chains: dict[str, BlockTerms] | None = None,
) -> Core:
    """Build the core of an observing run whose books and pools only the test moves."""
    return build_core(make_header(instruments, pools, streams, chains), make_surroundings())


def make_header(
    instruments: Sequence[Instrument],
    pools: Sequence[PoolSnapshot],
    streams: Sequence[StreamSpec] = (),
    chains: dict[str, BlockTerms] | None = None,
) -> RunHeader:
    """Make the header of an observing run."""
    venue_terms = VenueTerms(
        fee_bps_taker=Decimal(10), latency_ms_median=20.0, latency_ms_p99=100.0
    )
    return RunHeader(
        format_version=FORMAT_VERSION,
        run_id="r1",
        basis=Basis.SANDBOX,
        market_note="",
        started_at_ns=START_NS,
        version="1+test",
        instruments=list(instruments),
        streams=list(streams),
        pools=list(pools),
        bridges=[],
        terms=RunTerms(
            venues={one.venue: venue_terms for one in instruments},
            transfer_bps=Decimal(2),
            limits={"age_ms_max": Decimal(600_000)},
            audit_s=60,
            legs_max=3,
            flash_fee_bps=Decimal(5),
            gas_prices_gwei={"ethereum": Decimal(1)},
            chains=chains or {},
            seed=1,
        ),
        control=ControlState(mode=Mode.OBSERVE, is_paused=False),
        limits={},
        capital=[],
        realised_today_usd=Decimal(0),
        residuals=[],
        holdings=[],
    )


def make_surroundings(
    *, log: Callable[[bytes], None] = lambda _line: None, recorder: Recorder | None = None
) -> Surroundings:
    """Make surroundings that are never killed, whose records go nowhere."""
    return Surroundings(
        world=ReplayedWorld(),
        put=lambda _record: None,
        log=log,
        recorder=recorder,
        opportunity_usd_min=Decimal(1),
    )


def make_reports(core: Core) -> EngineReports:
    """Make the reports of a run that is neither killed nor recorded."""
    return EngineReports(
        core,
        Sights(
            is_killed=lambda: False,
            waiting=lambda: 0,
            recording=lambda: None,
            recording_failure=lambda: None,
            prices_published=lambda: None,
            prices_failure=lambda: None,
            loop_lag=LatencyRing(),
            venue_notes=dict,
        ),
    )
