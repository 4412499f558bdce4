"""An engine's core, set up from settings and the ledger's state, whose books the test moves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from msgspec import structs

from engine.bus.notices import Notice
from engine.bus.records import EngineState, ExecutionRecord, NoticeRecord, Record
from engine.connectors.rest import RestClient
from engine.connectors.specs import all_specs
from engine.domain.assets import Amount, AssetCode
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.modes import Mode
from engine.domain.residuals import LastPrice, Residual
from engine.domain.switched_off import Off
from engine.operate.core_parts import Core
from engine.operate.recorder import Recorder
from engine.operate.run_header import RunHeader, decode_header, encode_header
from engine.operate.world import LiveWorld
from engine.ports import Applied, LevelForm, Listed
from engine.settings.schema import (
    ApprovalsSettings,
    BudgetsSettings,
    ChainsSettings,
    CostsSettings,
    DataSettings,
    ExchangesSettings,
    LimitsSettings,
    MarketsSettings,
    OperatorSettings,
    PaperSettings,
    RoutesSettings,
    Settings,
    TransfersSettings,
)
from engine.wiring.core import Surroundings, build_core
from engine.wiring.run_set_up import OpenVenues, VenueAccess, make_header
from tests.reference.world import START_NS, Levels, make_holding, make_instrument, write_side

MS = 1_000_000
VENUES = all_specs()
BUY_AT, SELL_AT = VenueId("coinbase"), VenueId("binance")
OTHER = Settings(
    markets=MarketsSettings(
        venues=[BUY_AT, SELL_AT], age_ms_max=4_001, lag_ms_max=1_701, audit_s=23
    ),
    costs=CostsSettings(
        fee_bps_taker={BUY_AT: Decimal(3), SELL_AT: Decimal(4)}, transfer_bps=Decimal("0.5")
    ),
    chains=ChainsSettings(gas_stale_s=59),
    routes=RoutesSettings(
        legs_max=2,
        flash_fee_bps=Decimal(7),
        bridges={"USD-USDC": Decimal(6)},
        bridge_usd=Decimal("1.5"),
        gas_price_gwei={"ethereum": Decimal("3.5")},
    ),
    limits=LimitsSettings(
        net_edge_bps_min=Decimal(11),
        position_usd=Decimal(700),
        daily_loss_usd=Decimal(90),
        drawdown_usd=Decimal(110),
        kelly_ratio=Decimal("0.25"),
        gas_day_usd=Decimal(75),
        orders_per_minute_max=17,
        unproven_s_max=29,
        venue_exposure_usd=Decimal(830),
        venue_failures_max=13,
    ),
    paper=PaperSettings(
        seed=77,
        mode_at_first_start="paper",
        capital_usd=Decimal(60_000),
        gas_usd=Decimal(321),
        slippage_bps_max=Decimal(2),
        unwind_band_bps=Decimal(10),
        latency_factor=0.5,
    ),
    operator=OperatorSettings(silence_h_max=71),
    data=DataSettings(exports_days=19),
    budgets=BudgetsSettings(
        units_day={"gemini": Decimal(501)},
        units_month={"infura.io": Decimal(502)},
        mb_day={"kraken": Decimal(503)},
        mb_month={"alchemy.com": Decimal(504)},
    ),
    exchanges=ExchangesSettings(
        low_balance={"USD": Decimal(47)},
        transfer_usd=Decimal(6),
        transfer_usd_of={"BTC": Decimal(8)},
        transfer_minutes=Decimal(31),
        transfer_minutes_of={"SOL": Decimal(2)},
        destinations={"kraken/BTC/bitcoin": "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"},
    ),
    transfers=TransfersSettings(
        venues=["binance", "kraken"],
        key_files={"kraken": "/run/secrets/kraken-out"},
        vouched={"kraken": "out"},
        names={"kraken/binance/BTC/bitcoin": "mine"},
        each={"BTC": Decimal("0.02")},
        day={"BTC": Decimal("0.03")},
        test={"BTC": Decimal("0.001")},
        delay_s=61,
    ),
    approvals=ApprovalsSettings(wait_s=41, usd_min=Decimal("1.25"), two_operators_usd=Decimal(333)),
)
"""No value is what it is by default, and no two are the same."""

NOTHING = EngineState(
    mode=None,
    is_paused=False,
    realised_today_usd="0",
    residuals=[],
    generation=1,
    run_id="r1",
    holdings=[],
    limits={},
)
LEFT_OVER = Residual(
    venue=BUY_AT, held=Amount.of("0.5", AssetCode("BTC")), carry=Amount.of("60", AssetCode("USD"))
)
LEFT = EngineState(
    mode=Mode.OBSERVE,
    is_paused=True,
    realised_today_usd="-12.5",
    drawdown_usd=Decimal("37.5"),
    gas_today_usd=Decimal("4.25"),
    sent_at_ns=(START_NS - 5, START_NS - 3, START_NS - 3),
    failures={SELL_AT: (4, START_NS - 7)},
    residuals=[LEFT_OVER],
    last_prices=[LastPrice(asset=AssetCode("BTC"), usd=Decimal(100), at_ns=START_NS)],
    generation=2,
    run_id="r2",
    holdings=[make_holding(BUY_AT, "USD", "123"), make_holding(SELL_AT, "BTC", "4")],
    limits={"position_usd": Decimal(600)},
    off=(Off(name=SELL_AT, since_ns=START_NS),),
    fees={BUY_AT: FeeWord(bps=Decimal(12), instead_of_bps=Decimal(3), since_ns=START_NS)},
)


UNMEASURED = structs.replace(OTHER, limits=structs.replace(OTHER.limits, kelly_ratio=Decimal(0)))
"""The same with sizes that do not go by trades, of which there are none yet."""


def header_of(settings: Settings = UNMEASURED, state: EngineState = NOTHING) -> RunHeader:
    venues = OpenVenues(
        access=[
            VenueAccess(
                spec=VENUES[venue],
                feed=next(iter(VENUES[venue].feeds)),
                websocket_url="",
                proxy=None,
                rest=cast("RestClient", None),
                pairs=(),
                listing=[Listed(instrument=make_instrument(venue))],
                why="",
            )
            for venue in (BUY_AT, SELL_AT)
        ],
        notes={},
        market_note="",
        pools=(),
    )
    made = make_header(settings, venues, state, at_ns=START_NS)
    # Its records reach no ledger that could say what is durable.
    made = structs.replace(made, terms=structs.replace(made.terms, waits_for_intents=False))
    return decode_header(encode_header(made))


@dataclass
class Engine:
    """A core as an engine builds it, whose books the test moves."""

    header: RunHeader
    records: list[Record] = field(default_factory=list)
    opportunity_usd_min: Decimal = Decimal(1)
    recorder: Recorder | None = None
    lines: list[bytes] = field(default_factory=list)
    looks: list[str] = field(default_factory=list)
    now_ns: int = START_NS

    def __post_init__(self) -> None:
        self.core: Core = build_core(
            self.header,
            Surroundings(
                world=LiveWorld(
                    is_killed=lambda: self._look("killed"),
                    is_ledger_behind=lambda: self._look("ledger_behind"),
                    recorder=self.recorder,
                ),
                put=self.records.append,
                log=self.lines.append,
                recorder=self.recorder,
                opportunity_usd_min=self.opportunity_usd_min,
            ),
        )

    def show(self, book: int, bids: Levels, asks: Levels) -> None:
        pipeline = self.core.hot_path._middle.pipeline
        pipeline.before_input(self.now_ns)
        self.core.board.frame_seq += 1
        outcome = self.core.board.replace(
            book, LevelForm.PAIRS, write_side(bids), write_side(asks), self.now_ns
        )
        assert outcome is Applied.OK
        pipeline.after_input(self.now_ns)

    def tick(self, ms: float = 0) -> None:
        self.now_ns += round(ms * MS)
        self.core.hot_path.tick(self.now_ns)

    def fund(self) -> None:
        """Show books without a gap until every place has its capital."""
        self.show(0, [("99.90", "9")], [("100.00", "9")])
        self.show(1, [("99.90", "9")], [("100.00", "9")])
        while self.core.inventory.waiting:
            self.tick(1)

    @property
    def executions(self) -> Sequence[ExecutionRecord]:
        return [one for one in self.records if isinstance(one, ExecutionRecord)]

    @property
    def notices(self) -> Sequence[Notice]:
        return [one.notice for one in self.records if isinstance(one, NoticeRecord)]

    def _look(self, what: str) -> bool:
        self.looks.append(what)
        return False
