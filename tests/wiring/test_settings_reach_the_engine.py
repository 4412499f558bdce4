"""What the settings say and what the ledger knew reaches the parts that go by it."""

from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from engine.bus.notices import OpportunitySeen
from engine.core.inputs.limits_set import LimitsSet
from engine.domain.assets import AssetCode
from engine.domain.errors import SettingsError
from engine.domain.faults import Fault
from engine.domain.modes import Basis, Mode
from engine.domain.orders import Purpose
from engine.health.uses import Uses
from engine.settings.schema import Settings
from engine.wiring.ledger_role import ledger_settings
from engine.wiring.paths import Paths
from engine.wiring.signer_venues import withdraw_key_path
from engine.wiring.use_desk import UseMeasures, budgets_of
from engine.wiring.withdraw_terms import withdraw_terms
from tests.reference.engine import (
    BUY_AT,
    LEFT,
    LEFT_OVER,
    MS,
    NOTHING,
    OTHER,
    SELL_AT,
    VENUES,
    Engine,
    header_of,
)
from tests.reference.world import START_NS


def test_every_setting_of_a_run_is_in_its_header() -> None:
    header = header_of(OTHER)

    terms = header.terms
    assert terms.limits == {
        "net_edge_bps_min": 11,
        "position_usd": 700,
        "daily_loss_usd": 90,
        "drawdown_usd": 110,
        "gas_day_usd": 75,
        "orders_per_minute_max": 17,
        "unproven_s_max": 29,
        "age_ms_max": 4_001,
        "slippage_bps_max": 2,
        "unwind_band_bps": 10,
        "lag_ms_max": 1_701,
        "silence_h_max": 71,
        "venue_exposure_usd": 830,
        "venue_failures_max": 13,
    }
    assert (terms.transfer_bps, terms.flash_fee_bps) == (Decimal("0.5"), Decimal(7))
    assert (terms.approvals.wait_s, terms.approvals.usd_min) == (41, Decimal("1.25"))
    assert terms.approvals.two_operators_usd == Decimal(333)
    assert terms.kelly_ratio == Decimal("0.25")
    assert (terms.audit_s, terms.seed, terms.legs_max) == (23, 77, 2)
    assert terms.gas_prices_gwei["ethereum"] == Decimal("3.5")
    assert terms.gas_stale_ms == 59_000
    assert terms.low_balance == {AssetCode("USD"): Decimal(47)}
    for venue, fee_bps in ((BUY_AT, 3), (SELL_AT, 4)):
        of = terms.venues[venue]
        assert of.fee_bps_taker == fee_bps
        assert of.buy_fee is VENUES[venue].buy_fee
        assert of.latency_ms_median == VENUES[venue].latency_ms_median / 2
        assert of.latency_ms_p99 == VENUES[venue].latency_ms_p99 / 2
    (bridge,) = header.bridges
    assert bridge.assets == (AssetCode("USD"), AssetCode("USDC"))
    assert (bridge.cost_bps, bridge.cost_usd) == (Decimal(6), Decimal("1.5"))
    assert {(one.venue, one.asset, one.usd) for one in header.capital} == {
        (venue, AssetCode(asset), Decimal(30_000))
        for venue in (BUY_AT, SELL_AT)
        for asset in ("BTC", "USD")
    }
    assert len({of.buy_fee for of in terms.venues.values()}) == 2
    assert header.control.mode is Mode.PAPER


def test_budgets_reach_whoever_measures(tmp_path: Path) -> None:
    told = {(one.name, one.unit, one.period): one.most for one in budgets_of(OTHER)}

    assert told == {
        ("gemini", "units", "day"): 501,
        ("infura.io", "units", "month"): 502,
        ("kraken", "MB", "day"): 503,
        ("alchemy.com", "MB", "month"): 504,
    }
    measures = UseMeasures(OTHER, Paths(tmp_path), Uses(), basis=Basis.SANDBOX, tell=lambda _: None)
    measures.sample(START_NS)
    assert {one.what: one.keeps for one in measures.use().kept}["exports"] == "19 days"


def test_what_transfers_cost_and_take_reaches_the_ledger(tmp_path: Path) -> None:
    told = ledger_settings(OTHER, Paths(tmp_path))
    terms = told.transfers

    assert [terms.cost_usd(AssetCode(asset)) for asset in ("USD", "BTC")] == [6, 8]
    assert terms.minutes_by_asset == {AssetCode("SOL"): Decimal(2)}
    assert terms.minutes == 31
    (destination,) = told.destinations
    assert (destination.venue, destination.asset, destination.chain) == (
        "kraken",
        "BTC",
        "bitcoin",
    )


def test_what_may_be_withdrawn_reaches_whoever_signs_and_whoever_sends() -> None:
    in_sandbox = replace(
        OTHER,
        markets=replace(OTHER.markets, source="sandbox"),
        exchanges=replace(OTHER.exchanges, trades="sandbox", venues=["binance", "kraken"]),
    )
    terms = withdraw_terms(in_sandbox)
    btc = AssetCode("BTC")

    assert (terms.venues, terms.is_real) == (("binance", "kraken"), False)
    assert (terms.each[btc], terms.day[btc], terms.test[btc]) == (
        Decimal("0.02"),
        Decimal("0.03"),
        Decimal("0.001"),
    )
    assert terms.delay_ns == 61_000_000_000
    assert [one.venue for one in terms.allowed] == ["kraken"]
    assert terms.names == {"kraken/binance/BTC/bitcoin": "mine"}
    assert (terms.vouched, terms.two_people_usd) == ({"kraken": "out"}, Decimal(333))
    assert withdraw_key_path(OTHER, Paths(Path("x")), "kraken") == Path("/run/secrets/kraken-out")
    usual = withdraw_key_path(OTHER, Paths(Path("x")), "binance")
    assert usual == Path("x/signer/withdraw/binance.json")


def test_nothing_is_withdrawn_unless_it_is_named_and_never_where_no_orders_are_placed() -> None:
    assert withdraw_terms(Settings()).venues == ()
    with pytest.raises(SettingsError, match="where no orders"):
        withdraw_terms(OTHER)


def test_every_limit_goes_by_its_own_setting() -> None:
    lines = Engine(header_of()).core.decider.limit_lines(START_NS)

    assert {line.name: line.limit for line in lines if line.term} == {
        "least net edge": "11",
        "position": "700",
        "daily loss": "90",
        "drawdown": "110",
        "gas a day": "75",
        "order rate": "17",
        "unproven book": "29",
        "book age": "4001",
        "venue exposure": "830",
        "failures": "13",
    }


def test_the_engine_begins_with_what_the_ledger_knew() -> None:
    core = Engine(header_of(state=LEFT)).core

    assert core.positions.residuals == (LEFT_OVER,)
    assert core.positions.realised_usd(START_NS) == Decimal("-12.5")
    marked = core.positions.marked(lambda _asset: None, START_NS)
    assert marked.unknown == "USD"  # the price of BTC is known
    assert core.inventory.holdings == tuple(
        sorted(LEFT.holdings, key=lambda one: (one.venue, one.held.asset))
    )
    assert (core.control.mode, core.control.is_paused) == (Mode.OBSERVE, True)
    (line,) = [one for one in core.decider.limit_lines(START_NS) if one.name == "position"]
    assert (line.limit, line.by_settings) == ("600", "700")
    used = {one.name: one.used for one in core.decider.limit_lines(START_NS)}
    assert (used["order rate"], used["failures"]) == ("3", f"4 at {SELL_AT}")
    assert (used["gas a day"], used["drawdown"]) == ("4.25", "37.50")
    assert core.decider.off.all == LEFT.off
    assert core.fees.in_force == {BUY_AT: 12, SELL_AT: 4}


@pytest.mark.parametrize(
    ("by_operator", "band_price"),
    [({}, "99.90"), ({"unwind_band_bps": Decimal(5)}, "99.95")],  # bps behind the best bid
)
def test_a_plan_and_its_orders_go_by_the_settings_and_by_what_was_set_since(
    by_operator: dict[str, Decimal], band_price: str
) -> None:
    engine = Engine(header_of())
    engine.fund()
    engine.core.hot_path.command(LimitsSet(limits=by_operator), engine.now_ns)

    engine.show(0, [("100.00", "9")], [("100.10", "9")])
    engine.show(1, [("101.00", "9")], [("101.20", "9")])
    (plan,) = [one.plan for one in engine.core.journal.recent.newest if one.plan is not None]
    engine.show(1, [("99.00", "9")], [("101.20", "9")])  # the sell leg will find nothing
    for _ in range(400):
        engine.tick(5)

    (record,) = engine.executions
    assert record.mode is Mode.PAPER
    assert plan.deadline_ns - plan.decided_at_ns == 1_000 * MS
    assert 650 < plan.notional_usd <= 700
    legs = {one.instrument.venue: one for one in record.execution.orders[:2]}
    bought, missed = legs[BUY_AT], legs[SELL_AT]
    assert not missed.fills
    assert sum(fill.fee_quote for fill in bought.fills) == pytest.approx(
        bought.filled_base * Decimal("100.10") * 3 / 10_000, abs=Decimal("1e-7")
    )
    assert bought.price_limit == Decimal("100.12")  # 2 bps
    unwinding = [one for one in record.execution.orders if one.purpose is Purpose.UNWIND]
    assert unwinding[0].price_limit == Decimal(band_price)
    for order in (bought, missed):
        median_ms = VENUES[order.instrument.venue].latency_ms_median
        assert order.arrives_at_ns - order.sent_at_ns < 4 * median_ms * MS


@pytest.mark.parametrize(("usd_min", "is_told"), [("0.01", True), ("1000", False)])
def test_an_opportunity_is_told_from_the_gain_that_was_set(usd_min: str, *, is_told: bool) -> None:
    engine = Engine(header_of(), opportunity_usd_min=Decimal(usd_min))
    engine.fund()

    engine.show(0, [("100.00", "3")], [("100.10", "3")])
    engine.show(1, [("101.00", "3")], [("101.20", "3")])

    assert any(isinstance(one, OpportunitySeen) for one in engine.notices) is is_told


@pytest.mark.parametrize(
    ("at_start", "since", "is_held"),
    [({}, {}, False), ({"lag_ms_max": Decimal(400)}, {}, True), ({}, {"lag_ms_max": 400}, True)],
)
def test_frames_come_late_by_what_the_operator_set_at_the_next_one(
    at_start: dict[str, Decimal], since: dict[str, int], *, is_held: bool
) -> None:
    """By the settings 1,701 ms are allowed; a frame of 600 ms is one of another limit's."""
    engine = Engine(header_of(state=replace(NOTHING, limits=at_start)))
    engine.show(0, [("100.00", "9")], [("100.10", "9")])
    core = engine.core
    lateness = core.hot_path.lateness
    for behind_ms in (100, 700):
        lateness.behind[0][0] = behind_ms * 1_000_000
        if behind_ms > 100 and since:
            limits = {name: Decimal(value) for name, value in since.items()}
            core.hot_path.command(LimitsSet(limits=limits), engine.now_ns)
        behind_ns = lateness.behind[0][0]
        if not lateness.from_ns[0] <= behind_ns <= lateness.to_ns[0]:
            lateness.judge(0, 0, engine.now_ns)

    assert (core.board.stale_reasons[0] is Fault.LATE) == is_held
    lines = {one.term: one for one in core.decider.limit_lines(START_NS)}
    if is_held:
        line = lines["lag_ms_max"]
        assert (line.limit, line.used, line.by_settings) == ("400", "400 ms", "1701")
    else:
        assert "lag_ms_max" not in lines
