"""The inventory is of one kind of money, its shares are of that money, and its past is drawn."""

from decimal import Decimal

from msgspec.structs import replace

from bot.render.inventory import make_past, render_assets, render_inventory
from bot.render.place_notices import where_to
from bot.render.plain import write_plain
from engine.bus.reports import BalanceReport
from engine.domain.modes import Money
from engine.requests.inventory import GetInventoryPast
from tests.bot import samples
from tests.bot.conftest import Chat


def both() -> BalanceReport:
    report = samples.balance()
    live = replace(report.lines[0], money=Money.LIVE, held=Decimal(2), usd=Decimal(100_000))
    return replace(report, lines=[*report.lines, live])


def flat(text: str) -> str:
    return " ".join(text.split())


def asked(money: Money = Money.PAPER) -> GetInventoryPast:
    return GetInventoryPast(since_ns=0, until_ns=4 * 86_400 * 10**9, money=money)


def test_live_and_paper_are_in_no_sum_together() -> None:
    paper = flat(write_plain(render_inventory(both(), Money.PAPER)))
    live = flat(write_plain(render_inventory(both(), Money.LIVE)))

    assert "$20,012.81 paper" in paper
    assert "100,000" not in paper
    assert "$100,000.00 live" in live
    assert "gemini" not in live


def test_shares_are_of_all_and_places_of_their_asset() -> None:
    text = flat(write_plain(render_inventory(samples.balance(), Money.PAPER)))

    assert "BTC 0.16 10,000 50%" in text
    assert "· coinbase 0.12 7,500 75%" in text
    assert "coinbase: 50.12 USD" in text


def test_below_the_picture_stand_the_assets_alone() -> None:
    text = flat(write_plain(render_assets(samples.balance(), Money.PAPER)))

    assert "BTC 0.16 10,000 50%" in text
    assert "coinbase" not in text
    assert "nothing live" in write_plain(render_assets(samples.balance(), Money.LIVE))


def test_what_has_no_price_is_in_no_sum_and_is_named() -> None:
    report = samples.balance()
    unpriced = [replace(one, usd=None) if one.asset == "BTC" else one for one in report.lines]

    text = flat(write_plain(render_inventory(replace(report, lines=unpriced), Money.PAPER)))

    assert "$10,012.81 paper" in text
    assert "in no sum: BTC" in text


def test_the_past_is_drawn_in_all_at_the_prices_of_now_and_by_asset() -> None:
    picture = make_past(samples.balance(), samples.inventory_past(asked()), days=7)

    assert picture is not None
    total, dollars, coins = picture.panels
    assert [label.split(",")[0] for label, _ in picture.panels] == ["all", "USD", "BTC"]
    assert total[1][0][1] == 10_000 + 0.16 * 62_500
    assert dollars[1][-1][1] == 10_012.81
    assert coins[1][0] == (0, 0.16)


def test_where_nothing_was_held_nothing_is_drawn() -> None:
    nothing = samples.inventory_past(asked(Money.LIVE))

    assert make_past(samples.balance(), nothing, days=7) is None


async def test_the_chat_shows_paper_where_nothing_is_live_and_draws_it(chat: Chat) -> None:
    async with chat.start():
        text = await chat.say("/inventory")
        await chat.say("/inventory picture 7")
        empty = await chat.say("/inventory live")

    assert "Inventory: $20,012.81 paper" in text
    assert "nothing live" in empty


def test_what_would_pay_is_shown_with_its_cost_and_who_has_to_do_it() -> None:
    text = flat(write_plain(render_inventory(both(), Money.LIVE, samples.rebalancing())))

    assert "31 routes of the last day were refused for want of balance" in text
    assert "2,412 USDC gemini→coinbase" in text
    assert "14 routes +$18.40, costs $5.00" in text
    assert "you move it yourself" in text
    assert "USDC to coinbase: on base 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed." in text


def test_a_proposal_without_an_address_says_so_and_a_tag_stands_with_its_address() -> None:
    proposed = samples.rebalancing().transfers[0]
    (to,) = proposed.to

    assert "no address of yours" in where_to(replace(proposed, to=()))
    assert where_to(replace(proposed, to=(replace(to, memo="7"),))).endswith(
        f"{to.address}, tag 7. A little of it first."
    )


def test_where_no_transfer_would_pay_it_says_so() -> None:
    nothing = replace(samples.rebalancing(), transfers=[])

    text = flat(write_plain(render_inventory(both(), Money.LIVE, nothing)))

    assert "no transfer would pay" in text
