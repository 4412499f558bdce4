"""What the detector counts reaches the reports."""

from decimal import Decimal

import pytest

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis, Mode
from engine.operate.control import ControlState
from engine.operate.engine_reports import EngineReports, RunParts
from engine.operate.recording import FORMAT_VERSION
from engine.operate.run_header import RunHeader, RunTerms
from engine.operate.run_journal import JournalSettings
from engine.operate.world import ReplayedWorld
from engine.pools.moves import PairMove
from engine.wiring.core import Core, Surroundings, build_core
from tests.detect.test_live_pools import pair_of
from tests.reference.world import START_NS


def make_core() -> Core:
    """A run of two pools and no venue."""
    header = RunHeader(
        format_version=FORMAT_VERSION,
        run_id="r",
        basis=Basis.REPLAY,
        market_note="",
        started_at_ns=START_NS,
        version="0",
        instruments=[],
        streams=[],
        pools=[pair_of(1_000, 2_000_000), pair_of(1_000, 2_000_000, address="0xother")],
        bridges=[],
        terms=RunTerms(
            venues={},
            transfer_bps=Decimal(2),
            net_edge_bps_min=Decimal(10),
            position_usd=Decimal(1_000),
            daily_loss_usd=Decimal(500),
            orders_per_minute_max=60,
            age_ms_max=10_000,
            audit_s=3_600,
            slippage_bps_max=Decimal(5),
            unwind_band_bps=Decimal(50),
            legs_max=4,
            flash_fee_bps=Decimal(0),
            gas_price_gwei=Decimal(1),
            seed=1,
        ),
        control=ControlState(mode=Mode.OBSERVE, is_paused=False),
        realised_today_usd=Decimal(0),
        residuals=[],
    )
    settings = JournalSettings(run_id="r", basis=Basis.REPLAY, opportunity_usd_min=Decimal(1))
    return build_core(
        header,
        Surroundings(
            world=ReplayedWorld(),
            put=lambda _record: None,
            log=lambda _line: None,
            recorder=None,
            journal_settings=settings,
        ),
    )


def make_reports(core: Core) -> EngineReports:
    return EngineReports(
        RunParts(
            header=core.header,
            board=core.board,
            freshness=core.freshness,
            detector=core.detector,
            decider=core.decider,
            route_confirmer=core.route_confirmer,
            pools=core.pools,
            journal=core.journal,
            control=core.control,
            hot_path=core.hot_path,
            is_killed=lambda: False,
            waiting=lambda: 0,
            recording=lambda: None,
            prices_published=lambda: None,
            prices_failure=lambda: None,
            venue_notes={},
        )
    )


def test_what_had_no_room_was_refused_or_waits_is_in_the_reports() -> None:
    core = make_core()
    reports = make_reports(core)
    core.detector._graph.set_values({AssetCode("ETH"): 2_000.0, AssetCode("USDT"): 1.0})
    with pytest.raises(BadValueError, match="reserve0_raw is 0"):
        core.detector.on_move(0, PairMove(reserve0_raw=0, reserve1_raw=1), START_NS)
    core.detector.crowded_out = 7

    status, listed = reports.status(START_NS), reports.opportunities(5, START_NS)

    assert (status.crowded_out, status.moves_refused, status.pools_waiting) == (7, 1, 2)
    assert (listed.crowded_out, listed.pools_waiting) == (7, 2)
    core.hot_path.tick(START_NS)
    assert reports.status(START_NS).pools_waiting == 0
