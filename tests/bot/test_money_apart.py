"""Live money stands on the screens beside paper, says that it is, and is in no sum with it."""

from decimal import Decimal

from msgspec.structs import replace

from bot.render.balance import make_balance_heatmap, render_balance
from bot.render.card import CardFacts, render_card
from bot.render.charts import make_equity, make_expected, make_funnel
from bot.render.life import render_exposure
from bot.render.money import make_chart, render_pnl, render_trades
from bot.render.notices import render_digest, render_notice
from bot.render.overview import Beside, render_sandbox, render_start, render_status
from bot.render.plain import write_plain
from bot.render.reports import live_facts
from engine.bus.notices import DayClosed, LeftoverClosed, StampedNotice
from engine.bus.reports import PnlPart, PnlReport
from engine.domain.modes import Basis, Mode, Money
from engine.domain.performance import By, Sums
from engine.requests.performance import GetPerformance
from tests.bot import samples
from tests.bot.conftest import Chat

LIVE = PnlPart(
    realised_usd=Decimal("-0.42"),
    expected_usd=Decimal("0.30"),
    executions=3,
    wins=1,
    by_route={"ETH-USDC uniswap_v3@base→uniswap_v2@base": (Decimal("-0.42"), 3)},
    points=[(samples.AT_NS, Decimal("-0.42"))],
)
SENT = Sums(trades=3, wins=1, realised=Decimal("-0.42"), gas=Decimal("0.10"))


def flat(text: str) -> str:
    return " ".join(text.split())


def with_live() -> PnlReport:
    return replace(samples.pnl(), live=LIVE)


def test_profit_of_both_is_shown_side_by_side_and_never_as_one() -> None:
    paper = write_plain(render_pnl(samples.pnl(), days=1))
    both = flat(write_plain(render_pnl(with_live(), days=1)))

    assert "+$11.80 paper, -$0.42 live" in both
    assert "Live trades 3, 33% won" in both
    assert "Live expected +$0.30" in both
    assert "in no sum with paper" in both
    assert "11.38" not in both
    assert "live" not in paper.lower()


def test_without_a_trade_on_paper_what_was_sent_is_shown_all_the_same() -> None:
    alone = replace(with_live(), executions=0, realised_usd=Decimal(0), by_route={}, points=[])

    text = flat(write_plain(render_pnl(alone, days=1)))

    assert "no trades" not in text
    assert "-$0.42 live" in text


def test_a_chart_is_of_what_was_sent_or_of_paper_and_says_which() -> None:
    live = make_chart(with_live(), days=1, now_ns=samples.AT_NS)
    paper = make_chart(samples.pnl(), days=1, now_ns=samples.AT_NS)

    assert live is not None
    assert paper is not None
    assert (live.title, list(live.points)) == ("Live PnL, last day", LIVE.points)
    assert live.basis_note == "live: signed and sent"
    assert (paper.title, list(paper.points)) == ("Paper PnL, last day", samples.pnl().points)


async def test_performance_and_pictures_are_of_what_was_sent_where_there_is_any(
    chat: Chat,
) -> None:
    async with chat.start():
        paper = flat(await chat.read("/performance pair"))
        nothing = flat(await chat.read("/performance pair 7 live"))
        chat.facade.sent = SENT
        sent = flat(await chat.read("/performance pair"))
        asked_for = flat(await chat.read("/performance pair 7 paper"))
        await chat.say("/chart equity")
        await chat.say("/chart equity 7 paper")
        drawn = [one for one in chat.facade.asked if isinstance(one, GetPerformance)][-3:]

    assert "sandbox markets, paper money" in paper
    assert "sandbox live: sent, worth nothing" in nothing
    assert "sandbox live: sent, worth nothing" in sent
    assert "-$0.42" in sent
    assert "sandbox markets, paper money" in asked_for
    assert [one.money for one in drawn[-2:]] == [Money.LIVE, Money.PAPER]


def test_a_picture_says_whose_money_it_is_of() -> None:
    for money, title, note in (
        (Money.PAPER, "Paper profit, 1 day", "sandbox markets, paper money"),
        (Money.LIVE, "Live profit, 1 day", "sandbox live: sent, worth nothing"),
    ):
        report = replace(samples.performance(By.ROUTE), money=money)
        equity, bars = make_equity(report, days=1), make_expected(report, days=1)
        funnel = make_funnel(report, days=1)
        assert equity is not None
        assert bars is not None
        assert funnel is not None
        assert equity.title == title
        assert {equity.basis_note, bars.basis_note, funnel.basis_note} == {note}


def test_each_line_of_trades_says_which_where_there_are_both() -> None:
    report = samples.trades(2)
    first, second = report.trades
    sent = replace(first, money=Money.LIVE, basis=Basis.SANDBOX_LIVE)

    paper = write_plain(render_trades(report, asked=2))
    both = flat(write_plain(render_trades(replace(report, trades=[sent, second]), asked=2)))

    assert "+$1.19 of +$1.28, live" in both
    assert "+$0.19 of +$1.28, paper" in both
    assert "never one sum of money" in both
    assert ", paper" not in paper.splitlines()[1]


def test_what_is_on_chain_is_no_part_of_the_paper_balance() -> None:
    report = samples.balance()
    line = replace(
        report.lines[0],
        venue="base",
        asset="ETH",
        held=Decimal("0.95"),
        usd=Decimal(1_900),
        started=Decimal(1),
        reserved=Decimal("0.02"),
        money=Money.LIVE,
    )
    more = replace(report, lines=[*report.lines, line])

    before = write_plain(render_balance(report, day=None, ever=None))
    after = write_plain(render_balance(more, day=None, ever=None))

    assert before.splitlines()[0] == after.splitlines()[0]
    assert "Live, on chain: $1,900.00 now, in no sum with paper." in flat(after)
    assert "base 0.95 ETH $1,900.00 0.02 reserved" in flat(after)
    assert make_balance_heatmap(more) == make_balance_heatmap(report)


def test_status_exposure_and_card_have_live_in_lines_of_its_own() -> None:
    status = replace(samples.status(), traded_live=3, profit_usd_live=Decimal("-0.42"))
    open_now = replace(
        samples.exposure(),
        live_plans=1,
        live_gas_usd=Decimal("0.05"),
        live_today_usd=Decimal("-0.42"),
    )

    shown = flat(write_plain(render_status(status, Beside(ever=with_live()))))
    exposed = flat(write_plain(render_exposure(open_now, None)))
    card = flat(write_plain(render_card(CardFacts(status=status, exposure=open_now))))

    assert "Live, this run -$0.42 in 3 trades" in shown
    assert "Live, all days -$0.42 in 3 trades" in shown
    assert "Live 1 plans, $0.05 at most for nothing" in exposed
    assert "Live, today -$0.42" in exposed
    assert "; live -$0.42" in card
    assert "live" not in flat(write_plain(render_exposure(samples.exposure(), None))).lower()


def test_where_orders_are_really_placed_no_screen_says_paper_money() -> None:
    status = replace(samples.status(), basis=Basis.SANDBOX_LIVE, mode=Mode.LIVE)
    notice = replace(samples.seen(profit_usd=5.0), basis=Basis.SANDBOX_LIVE)

    shown = flat(write_plain(render_status(status, Beside(ever=samples.pnl()))))
    card = flat(write_plain(render_card(CardFacts(status=status, exposure=samples.exposure()))))
    told = flat(write_plain(render_notice(StampedNotice(seq=7, notice=notice))))
    digest = flat(write_plain(render_digest([StampedNotice(seq=n, notice=notice) for n in (7, 8)])))
    begun = flat(write_plain(render_start(status, has_authenticator=True)))
    whence = flat(write_plain(render_sandbox(status)))

    assert "(sandbox live: sent, worth nothing)" in shown
    assert shown.index("Live, this run $0.00 in 0 trades") < shown.index("Paper run +$12.35 in 31")
    assert card.endswith("sandbox live)")
    assert "Today $0.00 live, 0 trades; +$12.35 paper" in card
    assert told.endswith("sandbox live)")
    assert digest.endswith("#7 to #8, sandbox live)")
    assert "signs and sends it. The money is worth nothing" in begun
    assert "signed and sent; all else is simulated" in whence
    for said in (shown, card, told, digest, begun, whence):
        assert "paper money" not in said
        assert "no order leaves" not in said.lower()
        assert "no real money" not in said.lower()


def test_the_day_tells_what_was_sent_beside_what_was_on_paper() -> None:
    assert live_facts(Sums()) == ()
    assert live_facts(SENT) == (("Live", "-$0.42 in 3, 33% won, gas -$0.10"),)
    day = next(one for one in samples.all_notices() if isinstance(one, DayClosed))

    text = flat(write_plain(render_notice(StampedNotice(seq=7, notice=replace(day, live=SENT)))))

    assert "live -$0.42 in 3, 33% won, gas -$0.10" in text


def test_each_end_of_a_trade_says_whose_money_it_was_and_real_money_is_no_sandboxs() -> None:
    ended = (
        samples.traded(),
        replace(samples.traded(), why_reverted="the price had moved"),
        next(one for one in samples.all_notices() if isinstance(one, LeftoverClosed)),
    )
    for notice in ended:
        for basis, said in (
            (Basis.MAIN_LIVE, "REAL MONEY"),
            (Basis.TEST_LIVE, "test network live"),
            (Basis.SANDBOX_LIVE, "sandbox live"),
            (Basis.LIVE, "paper"),
        ):
            shown = write_plain(
                render_notice(StampedNotice(seq=7, notice=replace(notice, basis=basis)))
            )
            assert said.lower() in shown.splitlines()[0].lower(), shown
            assert (basis is Basis.SANDBOX_LIVE) is ("sandbox" in shown), shown
