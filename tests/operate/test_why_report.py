"""`/why` of open and closed routes, from a core built as the engine builds it."""

from decimal import Decimal

import pytest

from engine.bus.reports import PlaceShare, SplitNow, WhyReport
from engine.domain.modes import Basis, Mode
from engine.domain.opportunities import HopKind
from engine.operate.control import ControlState
from engine.operate.engine_reports import EngineReports, RunParts
from engine.operate.recording import FORMAT_VERSION
from engine.operate.run_header import RunHeader, RunTerms, VenueTerms
from engine.operate.run_journal import JournalSettings
from engine.operate.world import ReplayedWorld
from engine.ports import Applied, LevelForm
from engine.sandbox.lineup import load_start_prices
from engine.sandbox.pools import load_pools
from engine.wiring.core import Core, Surroundings, build_core
from tests.reference.world import START_NS, Levels, make_instrument, write_side

VENUES = ("a", "b", "c")
ETH = 2_685.5
"""Where the sandbox's pools stand."""


def make_core() -> Core:
    """Build a core of three books of ETH-USDC, one that values ETH, and the sandbox's pools."""
    terms = VenueTerms(fee_bps_taker=Decimal(10), latency_ms_median=20.0, latency_ms_p99=100.0)
    header = RunHeader(
        format_version=FORMAT_VERSION,
        run_id="r1",
        basis=Basis.SANDBOX,
        market_note="",
        started_at_ns=START_NS,
        version="1+test",
        instruments=[
            *(make_instrument(venue, "ETH-USDC", lot="0.0001") for venue in VENUES),
            make_instrument("a", "ETH-USD"),
        ],
        streams=[],
        pools=load_pools(load_start_prices()),
        bridges=[],
        terms=RunTerms(
            venues={make_instrument(venue).venue: terms for venue in VENUES},
            transfer_bps=Decimal(2),
            net_edge_bps_min=Decimal(10),
            position_usd=Decimal(1_000),
            daily_loss_usd=Decimal(500),
            orders_per_minute_max=60,
            age_ms_max=600_000,
            audit_s=60,
            slippage_bps_max=Decimal(5),
            unwind_band_bps=Decimal(50),
            legs_max=3,
            flash_fee_bps=Decimal(5),
            gas_price_gwei=Decimal(1),
            seed=1,
        ),
        control=ControlState(mode=Mode.OBSERVE, is_paused=False),
        realised_today_usd=Decimal(0),
        residuals=[],
    )
    around = Surroundings(
        world=ReplayedWorld(),
        put=lambda _record: None,
        log=lambda _line: None,
        recorder=None,
        journal_settings=JournalSettings(
            run_id="r1", basis=Basis.SANDBOX, opportunity_usd_min=Decimal(1)
        ),
    )
    return build_core(header, around)


class Run:
    """A core whose books are shown by hand, and its reports."""

    def __init__(self) -> None:
        self.core = make_core()
        self.at_ns = START_NS
        self.reports = EngineReports(
            RunParts(
                header=self.core.header,
                board=self.core.board,
                freshness=self.core.freshness,
                decider=self.core.decider,
                route_confirmer=self.core.route_confirmer,
                split_confirmer=self.core.split_confirmer,
                pools=self.core.pools,
                journal=self.core.journal,
                control=self.core.control,
                hot_path=self.core.hot_path,
                is_killed=lambda: False,
                waiting=lambda: 0,
                recording=lambda: None,
                prices_published=lambda: None,
                prices_failure=lambda: None,
                venue_notes={},
            )
        )
        self.show(3, [(f"{ETH - 1}", "5")], [(f"{ETH + 1}", "5")])

    def show(self, book: int, bids: Levels, asks: Levels) -> None:
        self.at_ns += 1_100_000_000
        applied = self.core.board.replace(
            book, LevelForm.PAIRS, write_side(bids), write_side(asks), self.at_ns
        )
        assert applied is Applied.OK
        self.core.hot_path.tick(self.at_ns)

    def show_gap(self) -> None:
        """Let book 1 be dear, and books 0 and 2 as cheap as the pools."""
        self.show(2, [(f"{ETH - 3}", "5")], [(f"{ETH}", "4")])
        self.show(0, [(f"{ETH - 3}", "5")], [(f"{ETH - 1}", "5")])
        self.show(1, [(f"{ETH + 50}", "9"), (f"{ETH + 40}", "900")], [(f"{ETH + 60}", "5")])

    def close_gap(self) -> None:
        self.show(1, [(f"{ETH - 3}", "9")], [(f"{ETH + 60}", "5")])

    def gap_id(self) -> str:
        """Return the open gap from book 0 to book 1."""
        return next(
            episode.opportunity_id
            for episode in self.core.detector.open_episodes
            if [(hop.kind, hop.row) for hop in episode.first.hops]
            == [(HopKind.BOOK, 0), (HopKind.BOOK, 1)]
        )

    def why(self, opportunity_id: str) -> WhyReport:
        report = self.reports.why(opportunity_id, self.at_ns)
        assert report is not None
        return report


def shares_of(now: SplitNow | None) -> list[dict[str, PlaceShare]]:
    assert now is not None
    return [{f"{part.venue} {part.place}": part for part in leg} for leg in now.legs]


def test_an_open_gap_is_told_with_its_legs_shared_among_books_and_pools() -> None:
    run = Run()
    run.show_gap()

    why = run.why(run.gap_id())

    assert why.line.is_open
    assert why.exact_now is None, "a gap's exact figures are those of its plan"
    bought, sold = shares_of(why.split_now)
    assert {"a ETH-USDC", "c ETH-USDC", "uniswap_v3 USDC-ETH 0.05 %"} <= set(bought)
    assert set(sold) == {"b ETH-USDC"}
    assert bought["c ETH-USDC"].amount_out == 4
    assert sum(part.share_ratio for part in bought.values()) == pytest.approx(1)
    assert why.split_now is not None
    assert why.split_now.profit_quote > why.split_now.more_quote > 0


def test_a_route_that_is_closed_is_not_shared_though_another_like_it_is_open() -> None:
    run = Run()
    run.show_gap()
    before = run.gap_id()
    run.close_gap()
    run.show_gap()

    assert run.gap_id() != before
    assert run.why(run.gap_id()).split_now is not None
    assert run.why(before).split_now is None
