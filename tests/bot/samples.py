"""Reports and notices with plausible figures."""

from decimal import Decimal
from itertools import accumulate

from msgspec.structs import replace

from engine.bus.closings import ClosingLine, ClosingsReport
from engine.bus.gas_report import GasLine, GasReport
from engine.bus.kill_reports import AftermathReport, DrillReport
from engine.bus.life import ExposureReport, LifeEvent, LifeReport, PositionLine
from engine.bus.money_reports import InventoryPast, PlacePast, RebalancingReport
from engine.bus.notices import (
    REFUSED,
    AlertAct,
    ApprovalAsked,
    ApprovalEnded,
    AuditGap,
    BalanceBack,
    BalanceLow,
    ChainFileLost,
    ClockCorrected,
    DayClosed,
    FeeChanged,
    HookTrouble,
    Killed,
    KillLeft,
    LateFill,
    LeftoverClosed,
    LimitChanged,
    LimitHit,
    LimitProposed,
    LooseningCancelled,
    LooseningWaits,
    MandateEnded,
    MetricAlert,
    MetricCalm,
    ModeChanged,
    Notice,
    OpportunitySeen,
    PaperTraded,
    PlaceSwitched,
    PlanVoided,
    ProviderCaught,
    RecordingStopped,
    RecordsDropped,
    Reorganised,
    RetentionHeld,
    RoleAway,
    RoleBack,
    RoleRestarted,
    SendingTrouble,
    SettingsOutcome,
    SettingsRead,
    Started,
    StillThere,
    TransferProposed,
    TransferTold,
    Unkilled,
    VenueBack,
    VenueLost,
    VenuesBack,
    VenuesLost,
    VenueTrouble,
    WhaleSeen,
    WorkTrouble,
)
from engine.bus.performance import BooksReport, Held, PerformanceReport
from engine.bus.permit_reports import (
    ApprovalsReport,
    MandatesReport,
    WaitingApproval,
    WaitingLine,
    WaitingReport,
)
from engine.bus.place_reports import FeeLine, FeesReport, PlaceLine, PlacesReport
from engine.bus.quote_report import QuoteLine, QuotesReport
from engine.bus.reports import (
    AuditLine,
    AuditReport,
    BalanceLine,
    BalanceReport,
    ExactNow,
    InstrumentLine,
    LegLine,
    LimitLine,
    LimitsReport,
    OpportunitiesReport,
    OpportunityLine,
    PlaceShare,
    PnlReport,
    SplitNow,
    SpreadLine,
    SpreadsReport,
    StatusReport,
    TradeLine,
    TradesReport,
    ValuesLine,
    VenueLine,
    VenuesReport,
    VersionReport,
    WhyReport,
)
from engine.bus.settings_reports import RunningSetting, SettingsReport
from engine.decide.closing import Reckoned, closing_terms
from engine.domain.approvals import Approval, ApprovalEnd, ApprovalState, LeftOut
from engine.domain.assets import Amount, AssetCode
from engine.domain.destinations import Destination
from engine.domain.faults import Fault
from engine.domain.instruments import Instrument, Pair, VenueId
from engine.domain.mandates import Mandate, MandateUse, Scope, ScopeKind
from engine.domain.modes import Basis, Mode, Money
from engine.domain.opportunities import Hop, HopKind, Leg, Opportunity, Reason, Side
from engine.domain.orders_told import VenueMatter
from engine.domain.performance import By, Missed, Sums, TradeMark
from engine.domain.plans import LeggedPlan, digest_of_plan
from engine.domain.rebalancing import Transfer
from engine.domain.residuals import Residual
from engine.domain.stories import Cause, Difference, OrderCost, TradeStory, Worth
from engine.domain.switched_off import PlaceKind
from engine.domain.told import Matter
from engine.domain.transfers import TransferMatter
from engine.requests.inventory import GetInventoryPast
from tests.bot import discovery_samples, health_samples

AT_NS = 1_790_000_000_000_000_000
FEE_BPS = Decimal(40)
NOTE = "Recordings of different days are lined up to be comparable."
_NAMES = ("binance", "bitstamp", "coinbase", "gemini")


def venue_lines() -> list[VenueLine]:
    """Four venues, one of them in trouble."""
    return [
        VenueLine(
            venue=VenueId(name),
            is_connected=name != "gemini",
            books_live=0 if name == "gemini" else 6,
            books=6,
            age_ms=41_234 if name == "gemini" else 120 + 31 * index,
            frames=184_223 + index,
            frames_per_s=412.0 + 97 * index,
            resyncs=3 if name == "gemini" else index,
            stale_s=12.5,
            lag_ms=None if name == "gemini" else 12 * index,
            lag_ms_max=430 + index,
            wait_ms_max=3,
            unproven_s=7.4 if name == "bitstamp" else None,
            faults={"gap": 3, "stalled": 1} if name == "gemini" else {},
            note="",
        )
        for index, name in enumerate(_NAMES)
    ]


def status(
    *, mode: Mode = Mode.PAPER, is_killed: bool = False, is_paused: bool = False
) -> StatusReport:
    """The overview of a run of two hours."""
    return StatusReport(
        basis=Basis.SANDBOX,
        market_note=NOTE,
        run_id="r7",
        mode=mode,
        is_killed=is_killed,
        is_paused=is_paused,
        uptime_s=7_530,
        venues=venue_lines(),
        found=1_204,
        found_by_legs={2: 1_100, 3: 98, 4: 6},
        planned=33,
        traded=31,
        refused={"edge_below_min": 1_030, "stale_book": 141},
        crowded_out=0,
        moves_refused=0,
        pools_waiting=0,
        profit_usd_paper=Decimal("12.3456"),
        latency_us={"p50": 14.2, "p99": 71.8, "p999": 240.0},
        loop_lag_us={"p50": 310.0, "p99": 1_204.5, "p999": 2_950.0},
        memory_mb={"engine": 180.5, "ledger": 62.0, "bot": 71.0},
        records_waiting=0,
        recording=None,
        prices_published=51_200,
        prices_failure=None,
    )


def venues() -> VenuesReport:
    """All instruments; gemini's are stale."""
    instruments = [
        InstrumentLine(
            venue=VenueId(name),
            pair=pair,
            kind="spot",
            is_live=name != "gemini",
            stale_reason="disconnected" if name == "gemini" else None,
            age_ms=150,
            bid="64001.01",
            ask="64001.02",
            levels=5_000,
        )
        for name in _NAMES
        for pair in ("BTC-USD", "ETH-USD", "SOL-USD", "LTC-USD", "XRP-USD", "ETH-BTC")
    ]
    return VenuesReport(
        basis=Basis.SANDBOX, market_note=NOTE, venues=venue_lines(), instruments=instruments
    )


def opportunity(number: int = 12, *, is_open: bool = True) -> OpportunityLine:
    """One opportunity between two venues."""
    return OpportunityLine(
        opportunity_id=f"r7-{number}",
        seen_at_ns=AT_NS,
        is_open=is_open,
        lasted_ms=840,
        pair="BTC-USD",
        buy_venue=VenueId("coinbase"),
        sell_venue=VenueId("bitstamp"),
        size_base=0.015612,
        net_edge_bps=12.84,
        profit_quote=1.2831,
        profit_usd=1.2831,
        quote="USD",
        outcome="planned" if is_open else "edge_below_min",
        detail="net edge 12.84 bps, at least 10 bps wanted",
        hops=(
            hop("coinbase", "BTC-USD", gives="1000.2 USD", gets="0.015612 BTC"),
            hop("bitstamp", "BTC-USD", gives="0.015612 BTC", gets="1001.4831 USD"),
        ),
    )


def hop(venue: str, place: str, *, gives: str, gets: str, kind: HopKind = HopKind.BOOK) -> Hop:
    """One leg of a route."""
    amount_in, source = gives.split()
    amount_out, target = gets.split()
    return Hop(
        kind=kind,
        venue=VenueId(venue),
        place=place,
        row=0,
        source=AssetCode(source),
        target=AssetCode(target),
        amount_in=float(amount_in),
        amount_out=float(amount_out),
        frame_seq=7,
    )


def triangle() -> OpportunityLine:
    """A route of three legs, the last one through a pool."""
    return replace(
        opportunity(13),
        size_base=0.016,
        sell_venue=VenueId("uniswap_v3@ethereum"),
        outcome="no_executor",
        detail="routes of 3 legs with a pool are watched, not traded",
        hops=(
            hop("coinbase", "BTC-USD", gives="1000.2 USD", gets="0.016 BTC"),
            hop("coinbase", "ETH-BTC", gives="0.016 BTC", gets="0.37 ETH"),
            hop(
                "uniswap_v3@ethereum",
                "ETH-USD 0.05 %",
                gives="0.37 ETH",
                gets="1001.49 USD",
                kind=HopKind.POOL,
            ),
        ),
    )


def opportunities(limit: int = 4, *, is_newest_first: bool = False) -> OpportunitiesReport:
    """One open opportunity and recent ones."""
    lines = [opportunity(12), *(opportunity(n, is_open=False) for n in (11, 9, 4, 3, 2))]
    return OpportunitiesReport(
        basis=Basis.SANDBOX,
        market_note=NOTE,
        opportunities=lines[:limit],
        is_newest_first=is_newest_first,
        found=1_204,
        found_by_legs={2: 1_100, 3: 98, 4: 6},
        refused={"edge_below_min": 1_030, "stale_book": 141},
        crowded_out=0,
        pools_waiting=0,
    )


def values(*, has_gas: bool = False) -> ValuesLine:
    """Decision values of a route."""
    return ValuesLine(
        profit_expected=1.2831,
        profit_worst=-0.21,
        kill_move_bps=12.8,
        gas_price_break_even_gwei=31.5 if has_gas else None,
        confidence="uncalibrated",
    )


def why_of_a_long_route() -> WhyReport:
    """A route of five legs that is open and only watched."""
    line = triangle()
    return replace(
        why(),
        line=replace(line, hops=(*line.hops, *line.hops[1:])),
        legs=[],
        execution_id=None,
        profit_usd=None,
        expected_usd=None,
        later_refusals=[],
        values=values(has_gas=True),
        exact_now=ExactNow(
            paid=Decimal("1000.2"), got=Decimal("1001.49"), profit_quote=Decimal("1.1")
        ),
        split_now=split_now(),
    )


def split_now() -> SplitNow:
    """A route of five legs, the first shared among two books and the last among two pools."""

    def part(venue: str, place: str, *, ratio: float = 1.0) -> PlaceShare:
        return PlaceShare(
            venue=VenueId(venue),
            place=place,
            amount_in=Decimal(1_000) * Decimal(ratio),
            amount_out=Decimal(1) * Decimal(ratio),
            share_ratio=ratio,
        )

    through = (part("coinbase", "ETH-BTC"),), (part("uniswap_v3@ethereum", "ETH-USD 0.05 %"),)
    return SplitNow(
        paid=Decimal("2000.4"),
        got=Decimal("2003.3"),
        profit_quote=Decimal("2.25"),
        more_quote=Decimal("1.15"),
        legs=(
            (
                part("coinbase", "BTC-USD", ratio=0.625),
                part("bitstamp", "BTC-USD", ratio=0.375),
            ),
            *through,
            through[0],
            (
                part("uniswap_v3@ethereum", "ETH-USD 0.05 %", ratio=0.875),
                part("uniswap_v2@ethereum", "ETH-USD 0.3 %", ratio=0.125),
            ),
        ),
    )


def story() -> TradeStory:
    """A trade that was found at 3.26, shrunk to 1.28 and came to 1.19."""

    def worth(amount: str) -> Worth:
        return Worth(quote=Decimal(amount), usd=Decimal(amount))

    def made(cause: Cause, amount: str) -> Difference:
        return Difference(cause=cause, worth=worth(amount))

    return TradeStory(
        found=worth("3.26"),
        to_sized=(
            made(Cause.LOT_ROUNDING, "-0.01"),
            made(Cause.DEPTH_TAKEN, "-0.47"),
            made(Cause.SIZE_LIMIT, "-1.50"),
        ),
        sized=worth("1.28"),
        to_realised=(
            made(Cause.LATENCY, "-0.04"),
            made(Cause.PRICE_LIMIT, "0.02"),
            made(Cause.UNWINDING, "-0.08"),
            made(Cause.FEE, "0.01"),
        ),
        realised=worth("1.19"),
        gross=worth("2.59"),
        fee=worth("1.20"),
        transfer=worth("0.20"),
        orders=tuple(
            OrderCost(
                venue=VenueId(name),
                side="buy",
                purpose="leg",
                fee_quote=Decimal("0.6"),
                fee_base=Decimal(0),
                latency_ns=31_000_000,
            )
            for name in ("coinbase", "bitstamp")
        ),
        limit="used 998.40 USD, limit 1000 USD",
    )


def why() -> WhyReport:
    """A decision that became a trade."""
    legs = [
        LegLine(
            venue=VenueId(name),
            pair="BTC-USD",
            side=side,
            purpose=purpose,
            size_base=Decimal("0.015612"),
            price_limit=Decimal(price),
            filled_base=Decimal("0.0156"),
            price_average=Decimal(price),
            fee_quote=Decimal("0.6"),
            frame_seq=88_121,
        )
        for name, side, purpose, price in (
            ("coinbase", "buy", "leg", "64001.02"),
            ("bitstamp", "sell", "leg", "64164.20"),
            ("coinbase", "sell", "unwind", "63990.00"),
        )
    ]
    return WhyReport(
        basis=Basis.SANDBOX,
        market_note=NOTE,
        run_id="r7",
        values=values(),
        line=opportunity(),
        frame_seqs=(88_121, 88_121, 88_097),
        gross_edge_bps=25.47,
        later_refusals=[("order_rate_limit", "10 orders in the last minute, limit 10")],
        legs=legs,
        execution_id="x-31",
        profit_usd=Decimal("1.19"),
        expected_usd=Decimal("1.2831"),
    )


def limits() -> LimitsReport:
    """The limits of the first run."""
    rows = (
        ("position", "USD", "1000", "998.40", 2),
        ("daily_loss", "USD", "500", "0", 0),
        ("order_rate", "a minute", "10", "4", 1),
        ("staleness", "s", "10", "0.2", 141),
        ("net_edge_min", "bps", "10", "", 1_030),
    )
    return LimitsReport(
        basis=Basis.SANDBOX,
        market_note=NOTE,
        limits=[
            LimitLine(name=name, unit=unit, limit=limit, used=used, refusals=refusals)
            for name, unit, limit, used, refusals in rows
        ],
    )


def spread(pair: str, buy: str, sell: str, *, net_bps: float) -> SpreadLine:
    """A gap that costs 45 bps."""
    return SpreadLine(
        pair=pair,
        buy_venue=VenueId(buy),
        sell_venue=VenueId(sell),
        gross_bps=net_bps + 45,
        net_bps=net_bps,
        at_ns=AT_NS,
    )


def spreads() -> SpreadsReport:
    """Eight pairs, none of which pays."""
    lines = [
        spread(pair, buy, sell, net_bps=-30.0 - 3 * number - place)
        for number, pair in enumerate(
            ("ETH-USDT", "BTC-USDT", "BTC-USD", "ETH-BTC", "LTC-BTC", "ETH-EUR", "EUR-USD", "A-B")
        )
        for place, (buy, sell) in enumerate(
            (("binance", "coinbase"), ("gemini", "bitstamp"), ("gemini", "binance"))
        )
    ]
    nearest = [spread("ETH-USDT", "binance", "gemini", net_bps=9.2), lines[3], lines[6], lines[9]]
    return SpreadsReport(
        basis=Basis.SANDBOX,
        market_note=NOTE,
        least_edge_bps=10.0,
        spreads=lines,
        nearest=nearest,
    )


def quotes() -> QuotesReport:
    """Books of four venues, pools of three protocols, one of which is away."""
    usd = {
        "ETH-USD": 812_000.0,
        "BTC-USD": 2_150_000.0,
        "ETH-USDC": 96_400.0,
        "BTC-USDT": 431_000.0,
    }
    lines = [
        QuoteLine(
            place=VenueId(place),
            pair=pair,
            count=1,
            live=int((place, pair) != ("bitstamp", "BTC-USD")),
            usd=worth * (number + 1) / 3,
            age_ms=120 + 41_000 * ((place, pair) == ("gemini", "ETH-USD")) + 90 * number,
        )
        for number, place in enumerate(("coinbase", "gemini", "bitstamp", "binance"))
        for pair, worth in usd.items()
        if (len(pair) == len("ETH-USD")) == (place != "binance")
    ]
    lines += [
        QuoteLine(place=place, pair=pair, count=count, live=live, usd=worth, age_ms=age_ms)
        for place, pair, count, live, worth, age_ms in (
            ("uniswap_v3@base", "ETH-USDC", 3, 3, 18_204_113.0, 1_400),
            ("aerodrome_v2@base", "ETH-USDC", 1, 1, 9_120_000.0, 1_400),
            ("uniswap_v2@ethereum", "ETH-USDC", 1, 0, None, None),
            ("uniswap_v2@ethereum", "BTC-USDT", 1, 0, None, None),
            ("uniswap_v4@base", "MOON@base:0x1f9840a85d5af5bf-ETH", 1, 1, None, 1_400),
        )
    ]
    return QuotesReport(basis=Basis.SANDBOX, lines=lines)


def sums(part: int = 1) -> Sums:
    """What trades came to."""
    return Sums(
        trades=31 * part,
        wins=22 * part,
        realised=Decimal("12.3456") * part,
        expected=Decimal("14.10") * part,
        fee=Decimal("3.2011") * part,
        gas=Decimal("0.42") * part,
        transfer=Decimal("0.51") * part,
        slippage=Decimal("1.75") * part,
    )


def performance(by: By = By.ALL) -> PerformanceReport:
    """A day of trading."""
    names = {
        By.ALL: (),
        By.PAIR: ("BTC-USD", "ETH-USDT", "BTC-USD→ETH→LTC"),
        By.VENUE: _NAMES,
        By.ROUTE: ("BTC-USD coinbase→bitstamp", "ETH-USDT uniswap_v3@ethereum→binance"),
        By.HOUR: tuple(str(hour) for hour in range(24)),
    }
    best = TradeMark(
        opportunity_id="t0ab3x-12", route="BTC-USD coinbase→bitstamp", realised=Decimal("3.21")
    )
    return PerformanceReport(
        basis=Basis.SANDBOX,
        since_ns=AT_NS - 86_400_000_000_000,
        until_ns=AT_NS,
        all=sums(),
        groups=[(name, sums(number)) for number, name in enumerate(names[by], 1)],
        drawdown=Decimal("2.10"),
        points=[
            (AT_NS - 3_600_000_000_000 * hour, Decimal(24 - hour) / 2, Decimal(hour % 5) / 4)
            for hour in range(23, -1, -1)
        ],
        outcomes={"edge_below_min": 1_030, "stale_book": 141, "planned": 33},
        best=best,
        worst=replace(best, realised=Decimal("-1.07")),
        missed=[
            Missed(reason="stale_book", count=8, usd=11.3),
            Missed(reason="order_rate_limit", count=2, usd=3.0),
        ],
        notices={"VenueLost": 2, "VenueBack": 2, "LimitHit": 1, "Started": 1, "PaperTraded": 31},
        is_summed_twice_alike=True,
    )


def gas() -> GasReport:
    """A chain without bytes to pay for, a rollup, and one whose own asset has no book."""
    line = GasLine(
        chain="ethereum",
        native=AssetCode("ETH"),
        gwei=Decimal("11.25"),
        now_gwei=Decimal("10.4"),
        native_usd=Decimal("2685.50"),
        data_usd=Decimal(0),
        route_usd=Decimal("7.25"),
        age_ms=3_400,
        too_old="",
    )
    return GasReport(
        basis=Basis.SANDBOX,
        market_note="recorded",
        chains=[
            replace(
                line,
                chain="base",
                gwei=Decimal("0.0101"),
                now_gwei=Decimal("0.01"),
                data_usd=Decimal("0.0123"),
                route_usd=Decimal("0.0188"),
                age_ms=812,
            ),
            line,
            replace(
                line, chain="polygon", native=AssetCode("POL"), native_usd=None, route_usd=None
            ),
        ],
    )


def exposure() -> ExposureReport:
    """One plan under way, and leftovers at two venues, one without a price."""
    return ExposureReport(
        basis=Basis.SANDBOX,
        mode=Mode.PAPER,
        is_killed=False,
        is_paused=False,
        plans=1,
        plans_usd=Decimal("500.00"),
        gas_usd=Decimal("0.42"),
        positions=[
            PositionLine(
                venue=VenueId("coinbase"),
                asset=AssetCode("BTC"),
                held=Decimal("0.0002"),
                carry_asset=AssetCode("USD"),
                carry=Decimal("-12.70"),
                usd=Decimal("12.80"),
            ),
            PositionLine(
                venue=VenueId("gemini"),
                asset=AssetCode("LTC"),
                held=Decimal("-0.01"),
                carry_asset=AssetCode("BTC"),
                carry=Decimal("0.00001"),
                usd=None,
            ),
        ],
        positions_usd=Decimal("13.60"),
        unrealised_usd=Decimal("0.10"),
        unpriced=[AssetCode("LTC")],
        today_usd=Decimal("12.3456"),
        waiting=0,
    )


def closing() -> LeggedPlan:
    """The terms of an order that closes a leftover."""
    reckoned = Reckoned(
        left=Residual(
            venue=VenueId("coinbase"),
            held=Amount.of("0.0002", "BTC"),
            carry=Amount.of("12.70", "USD"),
        ),
        leg=Leg(
            instrument=plan().legs[0].instrument,
            side=Side.SELL,
            size_base=Decimal("0.0002"),
            price_limit=Decimal("63670.55"),
            notional_quote=Decimal("12.7981"),
            fee_quote=Decimal("0.0512"),
            frame_seq=8,
        ),
        row=0,
        profit_quote=Decimal("0.0469"),
    )
    return closing_terms(
        reckoned, Money.PAPER, run_id="r7", number=1, usd_per_quote=Decimal(1), at_ns=AT_NS
    )


def closings() -> ClosingsReport:
    """A leftover that closes, one of real money without a live book, one that is too small."""
    return ClosingsReport(
        basis=Basis.SANDBOX,
        band_bps=Decimal(50),
        closings=[
            ClosingLine(
                venue=VenueId("coinbase"),
                asset=AssetCode("BTC"),
                held=Decimal("0.0002"),
                carry_asset=AssetCode("USD"),
                carry=Decimal("12.70"),
                side="sell",
                size_base=Decimal("0.0002"),
                filled_base=Decimal("0.0002"),
                price=Decimal("63990.5"),
                price_limit=Decimal("63670.55"),
                fee=Decimal("0.0512"),
                fee_asset=AssetCode("USD"),
                realised=Decimal("0.0469"),
                realised_usd=Decimal("0.0469"),
                terms=closing(),
            ),
            ClosingLine(
                venue=VenueId("gemini"),
                asset=AssetCode("LTC"),
                held=Decimal("-0.01"),
                carry_asset=AssetCode("BTC"),
                carry=Decimal("-0.00001"),
                why_not="its book is not live",
                money=Money.LIVE,
            ),
            ClosingLine(
                venue=VenueId("bitstamp"),
                asset=AssetCode("ETH"),
                held=Decimal("0.0000001"),
                carry_asset=AssetCode("USD"),
                carry=Decimal("0.0003"),
                why_not="the venue takes no order so small",
            ),
        ],
    )


def life() -> LifeReport:
    """A trade of two orders, with a fill that was told late."""
    steps = (
        (0, "found", "", "3.26"),
        (300_000, "decided", "", "1.28"),
        (1_200_000, "intended", "", None),
        (1_300_000, "sent", "leg buy coinbase 0.015612 BTC-USD at 64001.01 at worst", None),
        (1_300_000, "sent", "leg sell bitstamp 0.015612 BTC-USD at 64090.5 at worst", None),
        (43_000_000, "filled", "buy coinbase 0.015612 at 64000.1", None),
        (121_000_000, "filled", "sell bitstamp 0.015612 at 64092", None),
        (122_000_000, "closed", "", "1.19"),
        (5_122_000_000, "corrected", "", "-0.02"),
    )
    return LifeReport(
        opportunity_id="r7-12",
        execution_id="exec-r7-12",
        basis=Basis.SANDBOX,
        pair="BTC-USD",
        mode=Mode.PAPER,
        profit_usd=Decimal("1.17"),
        events=[
            LifeEvent(
                at_ns=AT_NS + after_ns,
                what=what,
                text=text,
                usd=None if usd is None else Decimal(usd),
            )
            for after_ns, what, text, usd in steps
        ],
    )


def books() -> BooksReport:
    """Books that agree with the balances of the engine."""
    return BooksReport(
        held=[
            Held(engine_id="main", venue=line.venue, asset=AssetCode(line.asset), held=line.held)
            for line in balance().lines
        ],
        differences=[],
    )


def balance() -> BalanceReport:
    """Two venues, one of which has no dollars left."""

    def line(venue: str, asset: str, held: str, started: str, usd: str) -> BalanceLine:
        return BalanceLine(
            venue=VenueId(venue),
            asset=asset,
            held=Decimal(held),
            reserved=Decimal("50.125") if asset == "USD" else Decimal(0),
            usd=Decimal(usd),
            started=Decimal(started),
            started_usd=Decimal(5_000),
        )

    return BalanceReport(
        basis=Basis.SANDBOX,
        market_note=NOTE,
        lines=[
            line("coinbase", "BTC", "0.12", "0.08", "7500"),
            line("coinbase", "USD", "312.31", "5000", "312.31"),
            line("gemini", "BTC", "0.04", "0.08", "2500"),
            line("gemini", "USD", "9700.5", "5000", "9700.5"),
        ],
        waiting=0,
    )


def inventory_past(request: GetInventoryPast) -> InventoryPast:
    """A week in which dollars went from one venue to the other."""
    if request.money is Money.LIVE:
        return InventoryPast(money=Money.LIVE, at_ns=[], places=[])
    step_ns = (request.until_ns - request.since_ns) // 4

    def place(venue: str, asset: str, *held: str) -> PlacePast:
        amounts = [Decimal(one) for one in held]
        return PlacePast(venue=VenueId(venue), asset=AssetCode(asset), held=amounts)

    return InventoryPast(
        money=Money.PAPER,
        at_ns=[request.since_ns + step_ns * number for number in range(5)],
        places=[
            place("coinbase", "BTC", "0.08", "0.09", "0.10", "0.12", "0.12"),
            place("coinbase", "USD", "5000", "3900", "2600", "312.31", "312.31"),
            place("gemini", "BTC", "0.08", "0.07", "0.06", "0.04", "0.04"),
            place("gemini", "USD", "5000", "6105", "7402.5", "9700.5", "9700.5"),
        ],
    )


def rebalancing() -> RebalancingReport:
    """Dollar coins that a venue has run out of."""
    transfer = Transfer(
        asset=AssetCode("USDC"),
        source=VenueId("gemini"),
        target=VenueId("coinbase"),
        amount=Decimal("2412.5"),
        gain_usd=Decimal("18.4"),
        cost_usd=Decimal(5),
        minutes=Decimal(30),
        routes=14,
        to=(
            Destination(
                venue=VenueId("coinbase"),
                asset=AssetCode("USDC"),
                chain="base",
                address="0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
            ),
        ),
    )
    return RebalancingReport(transfers=[transfer], missed=31, left_out=0)


def transfer_proposed() -> TransferProposed:
    return TransferProposed(
        at_ns=AT_NS, basis=Basis.SANDBOX_LIVE, transfer=rebalancing().transfers[0]
    )


def transfer_told(matter: TransferMatter = TransferMatter.TEST_ARRIVED) -> TransferTold:
    return TransferTold(
        at_ns=AT_NS,
        basis=Basis.SANDBOX_LIVE,
        transfer_id="t4f09a1c2b",
        matter=matter,
        what="its test is at binance: 0.0499 BTC of 0.05; the rest of 0.45 goes now",
        number=1,
    )


def version() -> VersionReport:
    """What runs."""
    return VersionReport(
        version="0.1.0",
        commit="83da41f0aa11bb22",
        run_id="r7",
        python="3.11.2",
        started_at_ns=AT_NS,
    )


def trades(limit: int = 10) -> TradesReport:
    """Newest executions."""
    lines = [
        TradeLine(
            execution_id=f"x-{31 - index}",
            opportunity_id=f"r7-{12 - index}",
            closed_at_ns=AT_NS - index * 60_000_000_000,
            basis=Basis.SANDBOX,
            pair="BTC-USD",
            buy_venue=VenueId("coinbase"),
            sell_venue=VenueId("bitstamp"),
            size_base=Decimal("0.015612"),
            profit_usd=Decimal("1.19") - index,
            expected_usd=Decimal("1.28"),
            left_over=(Amount.of("0.0002", "BTC"),) if index == 1 else (),
        )
        for index in range(12)
    ]
    return TradesReport(trades=lines[:limit], total=31)


def pnl() -> PnlReport:
    """A day that ended well."""
    steps = [
        Decimal(cents) / 100
        for cents in (119, 84, -62, 210, 145, -31, 90, 77, 160, -118, 54, 201, 33, -20, 142, 96)
    ]
    totals = list(accumulate(steps))
    return PnlReport(
        since_ns=AT_NS - 86_400_000_000_000,
        realised_usd=totals[-1],
        expected_usd=Decimal("12.77"),
        executions=len(steps),
        wins=sum(step > 0 for step in steps),
        by_route={
            "BTC-USD coinbase→bitstamp": (Decimal("7.21"), 9),
            "ETH-USD binance→gemini": (Decimal("2.91"), 5),
            "SOL-USD gemini→coinbase": (Decimal("1.68"), 2),
        },
        by_basis={"sandbox": totals[-1]},
        points=[
            (AT_NS - (16 - index) * 900_000_000_000, total) for index, total in enumerate(totals)
        ],
    )


def seen(*, profit_usd: float = 12.5, number: int = 12) -> OpportunitySeen:
    """An opportunity as a notice."""
    return OpportunitySeen(
        at_ns=AT_NS,
        basis=Basis.SANDBOX,
        opportunity_id=f"r7-{number}",
        pair="BTC-USD",
        buy_venue=VenueId("coinbase"),
        sell_venue=VenueId("bitstamp"),
        net_edge_bps=12.84,
        profit_usd=profit_usd,
        outcome="planned",
    )


def whale(*, worth_usd: Decimal | None, is_pending: bool = True) -> WhaleSeen:
    """A large trade as a notice, of a token that is only its address."""
    return WhaleSeen(
        at_ns=AT_NS,
        basis=Basis.SANDBOX,
        venue=VenueId("uniswap_v3@ethereum"),
        pool="0x" + "ab" * 20,
        fee_ratio=Decimal("0.0005"),
        asset_in=AssetCode("USDC"),
        asset_out=AssetCode("PEPE@ethereum:0x6982508145454ce325ddbe47a25d4ec3d2311933"),
        amount_in=Decimal("1284000.50"),
        amount_out=Decimal("98231004412.25"),
        impact_ratio=Decimal("0.01274"),
        worth_usd=worth_usd,
        is_pending=is_pending,
        tx="0x" + "12" * 32,
    )


def traded() -> PaperTraded:
    """A trade as a notice."""
    return next(one for one in all_notices() if isinstance(one, PaperTraded))


def killed() -> Killed:
    """A kill as a notice."""
    return Killed(at_ns=AT_NS, basis=Basis.SANDBOX, by="file", why="kill file appeared")


def plan() -> LeggedPlan:
    """A plan of two orders."""
    buy, sell = (
        Instrument(
            venue=VenueId(venue),
            pair=Pair.parse("BTC-USD"),
            wire_name="BTC-USD",
            price_decimals=2,
            size_decimals=8,
            tick_quote=Decimal("0.01"),
            lot_base=Decimal("0.00000001"),
        )
        for venue in ("coinbase", "bitstamp")
    )
    found = opportunities(1).opportunities[0]
    return LeggedPlan(
        plan_id="r7-12-p",
        opportunity=Opportunity(
            opportunity_id="r7-12",
            seen_at_ns=AT_NS,
            frame_seq=9,
            hops=found.hops,
            size_base=0.5,
            gross_edge_bps=20.0,
            net_edge_bps=12.0,
            gas_quote=0.0,
            profit_quote=41.3,
        ),
        decided_at_ns=AT_NS,
        deadline_ns=AT_NS + 10**9,
        legs=(
            Leg(
                instrument=buy,
                side=Side.BUY,
                size_base=Decimal("0.5"),
                price_limit=Decimal("50012.50"),
                notional_quote=Decimal("25000.00"),
                fee_quote=Decimal("5.00"),
                frame_seq=8,
            ),
            Leg(
                instrument=sell,
                side=Side.SELL,
                size_base=Decimal("0.5"),
                price_limit=Decimal("50080.00"),
                notional_quote=Decimal("25051.30"),
                fee_quote=Decimal("5.00"),
                frame_seq=9,
            ),
        ),
        profit_quote=Decimal("41.30"),
        transfer_quote=Decimal(0),
        net_edge_bps=Decimal(12),
        notional_usd=Decimal("25000.00"),
        usd_per_quote=Decimal(1),
    )


def approval() -> Approval:
    """A plan that waits for a person's word."""
    terms = plan()
    return Approval(
        approval_id="r7-a1",
        plan=terms,
        digest=digest_of_plan(terms),
        size_base=Decimal("0.5"),
        worst_quote=Decimal("22.10"),
        why="every trade is asked for",
        asked_at_ns=AT_NS,
        expires_at_ns=AT_NS + 900 * 10**9,
    )


def approval_end(state: ApprovalState = ApprovalState.EXECUTED) -> ApprovalEnd:
    """What became of it."""
    return ApprovalEnd(
        approval_id="r7-a1",
        state=state,
        at_ns=AT_NS + 3 * 10**9,
        by="telegram:4242",
        why="",
        now_quote=Decimal("39.90"),
    )


def approvals() -> ApprovalsReport:
    """What waits."""
    return ApprovalsReport(
        at_ns=AT_NS,
        mode=Mode.APPROVE,
        basis=Basis.SANDBOX,
        waiting=[WaitingApproval(approval=approval(), nonce="0123456789ab")],
        ended=[approval_end()],
        left_out=[LeftOut(pair="ETH-USD", worth_usd=Decimal("3.10"), at_ns=AT_NS)],
        left_out_count=1,
    )


def waiting() -> WaitingReport:
    """What waiting cost."""
    line = WaitingLine(
        state=ApprovalState.EXPIRED, count=3, asked_usd=Decimal("12.50"), waited_ms=180_000
    )
    return WaitingReport(since_ns=AT_NS, lines=[line], basis=Basis.SANDBOX)


def mandate_use() -> MandateUse:
    """A standing permission and what was made of it."""
    return MandateUse(
        mandate=Mandate(
            mandate_id="m1",
            by="telegram:4242",
            scope=Scope(kind=ScopeKind.PAIR, name="BTC-USD"),
            each_usd_max=Decimal(500),
            total_usd_max=Decimal(2_000),
            edge_bps_min=Decimal(2),
            granted_at_ns=AT_NS,
            expires_at_ns=AT_NS + 600 * 10**9,
        ),
        spent_usd=Decimal("812.40"),
        plans=3,
        realised_usd=Decimal("2.31"),
    )


def mandates() -> MandatesReport:
    """What is granted."""
    return MandatesReport(at_ns=AT_NS, mode=Mode.APPROVE, basis=Basis.SANDBOX, open=[mandate_use()])


def low_balance() -> BalanceLow:
    return BalanceLow(
        at_ns=AT_NS,
        basis=Basis.SANDBOX_LIVE,
        venue=VenueId("kraken"),
        free=Amount.of("0.00004", "BTC"),
        needed=Decimal("0.00005"),
        stops=("sell BTC-USD", "sell BTC-USDT"),
    )


def all_notices() -> list[Notice]:
    """One notice of each kind."""
    at_ns, basis = AT_NS, Basis.SANDBOX
    return [
        DayClosed(
            at_ns=at_ns,
            basis=basis,
            day="2026-09-20",
            sums=sums(),
            drawdown=Decimal("2.10"),
            best=performance().best,
            worst=performance().worst,
            missed=performance().missed,
            notices=performance().notices,
            differences=0,
            learned=discovery_samples.counts().learned(),
        ),
        Started(
            at_ns=at_ns,
            basis=basis,
            run_id="r7",
            mode=Mode.OBSERVE,
            is_killed=False,
            is_paused=False,
            market_note=NOTE,
        ),
        VenueLost(
            at_ns=at_ns, basis=basis, venue=VenueId("gemini"), fault=Fault.DISCONNECTED, books=6
        ),
        VenueBack(at_ns=at_ns, basis=basis, venue=VenueId("gemini"), lost_ms=4_120),
        seen(number=11),
        PaperTraded(
            at_ns=at_ns,
            basis=basis,
            execution_id="x-31",
            opportunity_id="r7-12",
            pair="BTC-USD",
            buy_venue=VenueId("coinbase"),
            sell_venue=VenueId("bitstamp"),
            size_base=Decimal("0.015612"),
            profit_usd=Decimal("1.19"),
            expected_usd=Decimal("1.28"),
            left_over=(Amount.of("0.0002", "BTC"),),
        ),
        LateFill(
            at_ns=at_ns,
            basis=basis,
            execution_id="r7-12-p-x",
            opportunity_id="r7-12",
            pair="BTC-USD",
            fills=1,
            profit_usd=Decimal("-0.12"),
            left_over=(Amount.of("0.0002", "BTC"),),
        ),
        LeftoverClosed(
            at_ns=at_ns,
            basis=basis,
            execution_id="r7-flat1-p-x",
            opportunity_id="r7-flat1",
            venue=VenueId("coinbase"),
            held=Amount.of("0.0002", "BTC"),
            closed=Decimal("0.0002"),
            realised_usd=Decimal("0.0421"),
            expected_usd=Decimal("0.0469"),
        ),
        PlanVoided(
            at_ns=at_ns,
            basis=basis,
            opportunity_id="r7-13",
            pair="BTC-USD",
            why="void at restart",
        ),
        LimitHit(
            at_ns=at_ns,
            basis=basis,
            reason=Reason.ORDER_RATE_LIMIT,
            detail="10 orders in the last minute, limit 10",
        ),
        ApprovalAsked(at_ns=at_ns, basis=basis, approval=approval(), nonce="0123456789ab"),
        ApprovalEnded(
            at_ns=at_ns,
            basis=basis,
            approval=replace(approval(), approval_id="r7-a2"),
            nonce="ba9876543210",
            end=replace(approval_end(), approval_id="r7-a2"),
        ),
        MandateEnded(
            at_ns=at_ns,
            basis=basis,
            use=replace(mandate_use(), ended="its time is over", ended_at_ns=at_ns),
        ),
        killed(),
        Unkilled(at_ns=at_ns, basis=basis, by="telegram:4242"),
        LimitChanged(
            at_ns=at_ns,
            basis=basis,
            name="position_usd",
            unit="USD",
            before=Decimal(1_000),
            after=Decimal(250),
            by="shell of op",
        ),
        LimitProposed(
            at_ns=at_ns,
            basis=basis,
            name="net_edge_bps_min",
            unit="bps",
            now=Decimal(10),
            proposed=Decimal("12.5"),
            why="of 240 trades those below 12.5 bps lost $3.10",
        ),
        PlaceSwitched(
            at_ns=at_ns,
            basis=basis,
            kind=PlaceKind.VENUE,
            name="uniswap_v3@ethereum",
            is_on=False,
            by="shell of op",
        ),
        FeeChanged(
            at_ns=at_ns,
            basis=basis,
            venue=VenueId("gemini"),
            before=Decimal(20),
            after=FEE_BPS,
            by="shell of op",
        ),
        KillLeft(
            at_ns=at_ns,
            basis=basis,
            is_flat=False,
            plans=1,
            left_over=(Amount(asset=AssetCode("BTC"), value=Decimal("0.25")),),
            usd=Decimal(15_000),
        ),
        StillThere(
            at_ns=at_ns, basis=basis, silent_s=77_760, pauses_at_ns=at_ns + 8_640_000_000_000
        ),
        AuditGap(at_ns=at_ns, basis=basis, why="link 128 was there and is not any more"),
        LooseningWaits(
            at_ns=at_ns,
            basis=basis,
            what="limit position_usd 5000 USD",
            due_at_ns=at_ns + 600_000_000_000,
            by="telegram:4242",
        ),
        LooseningCancelled(
            at_ns=at_ns, basis=basis, what="limit position_usd 5000 USD", why="pause"
        ),
        *(
            SettingsRead(at_ns=at_ns, basis=basis, outcome=outcome, lines=lines)
            for outcome, lines in (
                (SettingsOutcome.TAKEN, ("position_usd 1000 to 500 USD",)),
                (SettingsOutcome.WAITS, ("daily_loss_usd 500 to 800 USD",)),
                (SettingsOutcome.REFUSED, ("unknown setting limits.x in .env, line 3",)),
                (SettingsOutcome.AT_NEXT_START, ("gateway.port", "log.level")),
            )
        ),
        ModeChanged(at_ns=at_ns, basis=basis, mode=Mode.PAPER, is_paused=False, by="terminal"),
        RoleRestarted(
            at_ns=at_ns, basis=basis, role="ledger", why="ended with code 137", restarts=2
        ),
        RecordsDropped(at_ns=at_ns, basis=basis, kind="opportunities", count=1_500),
        RecordsDropped(at_ns=at_ns, basis=basis, kind=REFUSED, count=2),
        RetentionHeld(at_ns=at_ns, basis=basis, ahead_ns=400 * 86_400 * 10**9),
        RecordingStopped(at_ns=at_ns, basis=basis, why="No space left on device at var/recordings"),
        whale(worth_usd=Decimal("1284000.50")),
        whale(worth_usd=None, is_pending=False),
        Reorganised(at_ns=at_ns, basis=basis, chain="polygon", blocks=27, number=81_234_567),
        ProviderCaught(
            at_ns=at_ns,
            basis=basis,
            chain="ethereum",
            provider="one.example 2",
            why="its block 21000001 is none that the others know",
        ),
        *(
            ChainFileLost(
                at_ns=at_ns,
                basis=basis,
                chain="ethereum",
                what=what,
                why="it is damaged: database disk image is malformed",
            )
            for what in ("pools", "states", "verdicts", "blocks")
        ),
        *(
            HookTrouble(at_ns=at_ns, basis=basis, chain=chain, why=why)
            for chain, why in (
                ("", "webhooks are not kept: database or disk is full"),
                ("base", "webhook pools was wrong too often: nothing follows of it"),
            )
        ),
        WorkTrouble(
            at_ns=at_ns,
            basis=basis,
            task="gas_costs",
            what="in quarantine after 5 failures in a row, the last: hung: it waited for something",
        ),
        SendingTrouble(
            at_ns=at_ns,
            basis=basis,
            chain="base",
            what="out of gas money: nonce 17 was refused: insufficient funds for gas",
            matter=Matter.GAS,
        ),
        SendingTrouble(
            at_ns=at_ns,
            basis=basis,
            chain="base",
            what="r7-12-t on base: nonce 17 was mined, and the block that showed it is gone",
            matter=Matter.REORGANISED,
        ),
        SendingTrouble(
            at_ns=at_ns,
            basis=basis,
            chain="base",
            what="nonce 17 waits as it is: a higher fee would cost more than the plan pays",
            matter=Matter.STUCK,
        ),
        SendingTrouble(
            at_ns=at_ns,
            basis=basis,
            chain="base",
            what="r7-12-t on base: nonce 17 was pending, and is used by what we never signed",
            matter=Matter.FOREIGN,
        ),
        SendingTrouble(
            at_ns=at_ns,
            basis=basis,
            chain="base",
            what="the route of r7-12 by uniswap_v2 failed 3 times and rests for 300 s: others were"
            " first in the block",
            matter=Matter.REVERTED,
        ),
        VenueTrouble(
            at_ns=at_ns,
            basis=basis,
            venue=VenueId("binance"),
            what="what became of r7-12-p-o1 is unknown for 180 s: nothing shows it yet",
            matter=VenueMatter.UNKNOWN,
        ),
        VenueTrouble(
            at_ns=at_ns,
            basis=basis,
            venue=VenueId("kraken"),
            what="the venue says 1.2 ETH, the books 1.25: -0.05; nothing is sent there",
            matter=VenueMatter.HALTED,
        ),
        low_balance(),
        BalanceBack(
            at_ns=at_ns,
            basis=Basis.SANDBOX_LIVE,
            venue=VenueId("kraken"),
            free=Amount.of("0.05", "BTC"),
        ),
        transfer_proposed(),
        transfer_told(),
        WorkTrouble(at_ns=at_ns, basis=basis, task="", what="copies do not reach the ledger"),
        *health_samples.notices(at_ns, basis),
        ClockCorrected(at_ns=at_ns, basis=basis, step_ns=-3_700_000_000_000, asleep_ns=0),
        ClockCorrected(at_ns=at_ns, basis=basis, step_ns=-3_000_000, asleep_ns=28_800_000_000_000),
        RoleAway(at_ns=at_ns, basis=basis, role="engine", why="no answer within 5 s"),
        RoleAway(at_ns=at_ns, basis=basis, role="ledger", why="no space left", is_for_good=True),
        RoleBack(at_ns=at_ns, basis=basis, role="engine", away_ms=75_000),
        MetricAlert(
            at_ns=at_ns,
            basis=basis,
            name="ChainStands",
            about="chain=base",
            fingerprint="0123456789abcdef",
            is_critical=False,
            summary="base has had no block for 2m 5s.",
            runbook="docs/observability.md#chainstands",
        ),
        MetricCalm(
            at_ns=at_ns,
            basis=basis,
            name="ChainStands",
            about="chain=base",
            fingerprint="0123456789abcdef",
        ),
        VenuesLost(at_ns=at_ns, basis=basis, venues=tuple(VenueId(name) for name in _NAMES)),
        VenuesBack(at_ns=at_ns, basis=basis, lost_ms=64_000),
        AlertAct(at_ns=at_ns, basis=basis, by="terminal", act="ack", target="killed", episode=1),
    ]


def places(kind: PlaceKind) -> PlacesReport:
    """Five of a kind, one of them off."""
    venues = ("gemini", "binance", "coinbase", "bitstamp", "uniswap_v3@ethereum")
    names = venues if kind is PlaceKind.VENUE else ("BTC-USD", "ETH-USD", "ETH-BTC")
    lines = [PlaceLine(name=name) for name in names]
    return PlacesReport(
        basis=Basis.SANDBOX,
        market_note=NOTE,
        kind=kind,
        places=[replace(lines[0], off_since_ns=AT_NS), *lines[1:]],
    )


def settings() -> SettingsReport:
    """Two that may change while it runs; a looser one waits."""
    position = RunningSetting(
        section="limits",
        name="position_usd",
        unit="USD",
        value=Decimal(250),
        by_settings=Decimal(500),
        since_ns=AT_NS,
    )
    loss = replace(
        position, name="daily_loss_usd", value=Decimal(500), by_settings=Decimal(500), since_ns=0
    )
    return SettingsReport(
        settings=[position, loss],
        waits=["daily_loss_usd 500 to 800 USD"],
        at_next_start=["gateway.port"],
        trouble="",
        read_at_ns=AT_NS,
    )


def fees() -> FeesReport:
    """Four venues, one of whose fees was set."""
    return FeesReport(
        basis=Basis.SANDBOX,
        market_note=NOTE,
        started_at_ns=AT_NS - 7_200_000_000_000,
        fees=[
            FeeLine(
                venue=VenueId("gemini"),
                bps=FEE_BPS,
                by_settings=Decimal(20),
                since_ns=AT_NS,
                word_bps=FEE_BPS,
            ),
            *(
                FeeLine(venue=VenueId(venue), bps=Decimal(bps), by_settings=Decimal(bps))
                for venue, bps in (("binance", 10), ("coinbase", 20), ("bitstamp", 20))
            ),
        ],
    )


def audit() -> AuditReport:
    """The newest acts of a chain that is whole."""
    acts = ("unkill", "kill: it looks wrong", "wrong code: unkill", "limit position_usd 250 USD")
    return AuditReport(
        lines=[
            AuditLine(
                position=128 - number,
                at_ns=AT_NS - number * 60_000_000_000,
                engine_id="main",
                by="telegram:4242",
                action=action,
                hash=f"{number}3f9a" * 12,
            )
            for number, action in enumerate(acts)
        ],
        links=128,
        newest="03f9a" * 12,
        broken="",
        gaps=[],
    )


def drill() -> DrillReport:
    """A drill that went well."""
    return DrillReport(memory_us=2, file_us=1_410, refused_us=1_460, stored_us=9_900, is_clear=True)


def aftermath(*, is_killed: bool) -> AftermathReport:
    """A kill that left a quarter of a bitcoin."""
    return AftermathReport(
        basis=Basis.SANDBOX,
        is_killed=is_killed,
        why="killed by telegram:4242: it looks wrong",
        since_ns=AT_NS - 90_000_000_000,
        plans=0,
        left_over=(Amount(asset=AssetCode("BTC"), value=Decimal("0.25")),),
        usd=Decimal(15_120),
        usd_before=Decimal(15_000),
        refused=41,
        mode=Mode.PAPER,
        is_paused=False,
    )
