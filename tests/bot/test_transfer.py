"""Transfers in the chat: what is on its way, the terms, one more step, and one step to stop."""

import pytest
from msgspec import structs

from bot.render.inventory import render_inventory
from bot.render.plain import write_plain
from bot.render.screen import Screen
from bot.render.transfer import render_transfers, transfer_content
from engine.domain.modes import Money
from engine.domain.transfers import TransferMatter
from tests.bot import samples, transfer_samples
from tests.bot.conftest import Chat


def words_of(screen: Screen) -> str:
    return " ".join(write_plain(screen).split())


def test_what_is_unknown_is_shown_with_its_age_and_what_failed_with_why() -> None:
    text = words_of(render_transfers(transfer_samples.transfers(), now_ns=samples.AT_NS))

    assert "t4f09a1c2b kraken→binance unknown" in text
    assert "on its way 0.45" in text
    assert "arrived 0.0499, the way kept 0.0001" in text
    assert "unknown for 4 m 0 s" in text
    assert "Unknown withdraw key" in text


def test_without_a_withdraw_key_the_screen_says_what_to_do_and_promises_nothing() -> None:
    report = structs.replace(transfer_samples.transfers(), sources=(), lines=[])
    text = words_of(render_transfers(report, now_ns=samples.AT_NS))

    assert "Nothing is withdrawn from any exchange: python -m engine keys withdraw VENUE" in text


def test_what_is_on_its_way_stands_in_the_inventory_and_in_no_sum() -> None:
    paper = samples.balance()
    lines = [structs.replace(one, money=Money.LIVE) for one in paper.lines]
    report = structs.replace(paper, lines=lines)
    alone = words_of(render_inventory(report, Money.LIVE))
    text = words_of(
        render_inventory(report, Money.LIVE, samples.rebalancing(), transfer_samples.transfers())
    )

    assert "On its way between exchanges, at neither: 0.45 BTC kraken→binance" in text
    assert text.partition("On its way")[0].partition("Reserved")[0].strip() in alone
    assert "nothing else does" in text
    mine = structs.replace(transfer_samples.transfers(), sources=("gemini",))
    moved = words_of(render_inventory(report, Money.LIVE, samples.rebalancing(), mine))
    assert "have it moved with /transfer" in moved


@pytest.mark.parametrize("matter", TransferMatter)
def test_each_matter_has_a_title(matter: TransferMatter) -> None:
    _, title, lines = transfer_content(samples.transfer_told(matter))

    assert title.startswith("Transfer t4f09a1c2b: ")
    assert lines == ["Its test is at binance: 0.0499 BTC of 0.05; the rest of 0.45 goes now."]


async def test_a_transfer_takes_a_second_step_that_shows_all_of_its_terms(chat: Chat) -> None:
    async with chat.start():
        asked = " ".join((await chat.say("/transfer kraken binance 0.5 BTC")).split())
        assert chat.facade.effects == []
        await chat.tap("Send 0.5 BTC")
        await chat.wait_until(lambda: bool(chat.facade.effects))

    for part in (
        "Send 0.5 BTC from kraken to binance?",
        "14LsykHvmU8vKLGNHmjBzUMb46UmRFA1dt",
        "first 0.05 as a test",
        "waits 10 m 0 s before the test",
        "free there now 1.25",
    ):
        assert part in asked
    assert chat.facade.effects == ["transfer 0.5 BTC"]


async def test_it_is_stopped_in_one_step(chat: Chat) -> None:
    async with chat.start():
        text = await chat.say("/transfer cancel t4f09a1c2b")

    assert "nothing more of it is sent" in text
    assert chat.facade.effects == ["cancel transfer t4f09a1c2b"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("/transfer kraken", "how much of what?"),
        ("/transfer kraken binance x BTC", "how much of what?"),
        ("/transfer gemini binance 1 BTC", "nothing is withdrawn from gemini"),
        ("/transfer cancel", "which one?"),
    ],
)
async def test_what_is_not_understood_is_said_and_moves_nothing(
    chat: Chat, line: str, says: str
) -> None:
    async with chat.start():
        assert says in await chat.say(line)
    assert chat.facade.effects == []
