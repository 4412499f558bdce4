"""What is open, the life of a trade, and the newest log."""

from decimal import Decimal

from msgspec.structs import replace

from bot.render.life import render_exposure, render_life, render_log, render_positions
from bot.render.plain import write_plain
from engine.bus.life import LifeReport
from tests.bot import samples
from tests.bot.conftest import Chat


async def test_a_trade_without_an_id_is_the_newest_and_an_unknown_one_is_told(chat: Chat) -> None:
    async with chat.start():
        assert "r7-12 BTC-USD" in await chat.say("/trade")
        assert "Unknown: trade r9-9" in await chat.say("/trade r9-9")


def test_the_life_of_a_trade_tells_each_step_and_how_much_later_it_was() -> None:
    text = write_plain(render_life(samples.life()))

    told = [line.strip() for line in text.splitlines()]
    assert "14:13:20.000 found +$3.26" in told
    assert "+300 µs decided +$1.28" in told
    assert "+41 ms filled" in told
    assert "+5.0 s corrected -$0.02" in told
    for order in ("leg buy coinbase 0.015612 BTC-USD at", "sell bitstamp 0.015612 at 64092"):
        assert order in " ".join(told)


def test_what_is_at_stake_is_all_that_is_open_at_most() -> None:
    text = " ".join(write_plain(render_exposure(samples.exposure(), samples.limits())).split())

    assert "If I die now: $514.02 is open" in text
    assert "1, $500.00 at most" in text
    assert "$13.60 in 2 places" in text
    assert "$0.42 at most for nothing" in text
    assert "plans stop at a loss of 500 USD" in text
    assert "No price LTC" in text
    assert "kill latch" in text


def test_what_protects_says_what_is_so_now() -> None:
    killed = write_plain(render_exposure(replace(samples.exposure(), is_killed=True), None))
    paused = write_plain(render_exposure(replace(samples.exposure(), is_paused=True), None))

    assert "The kill latch is set: no plan is made." in killed
    assert "Plans are paused" in paused
    assert "plans stop" not in killed


def test_positions_without_a_price_come_first_and_are_not_called_worthless() -> None:
    text = write_plain(render_positions(samples.exposure()))

    assert text.index("gemini -0.01 LTC no price") < text.index("coinbase 0.0002 BTC $12.80")


def test_nothing_open_is_told_so() -> None:
    nothing = replace(
        samples.exposure(),
        plans=0,
        plans_usd=Decimal(0),
        gas_usd=Decimal(0),
        positions=[],
        positions_usd=Decimal(0),
        unpriced=[],
    )

    assert write_plain(render_exposure(nothing, None)).startswith("✔ If I die now: $0.00 is open")


async def test_the_log_shows_as_many_lines_as_asked(chat: Chat) -> None:
    lines = [f"14:00:{second:02d} engine: a fault" for second in range(50)]
    async with chat.start_with(read_log=lambda most: lines[-most:]):
        text = await chat.read("/log 3")

    assert "newest 3" in text
    assert lines[-1] in text
    assert lines[-4] not in text


def test_no_line_of_the_log_is_longer_than_a_person_reads() -> None:
    text = write_plain(render_log(["x" * 1_000]))

    assert max(len(line) for line in text.splitlines()) <= 180


def test_a_trade_that_lost_is_marked() -> None:
    lost: LifeReport = replace(samples.life(), profit_usd=Decimal(-1))

    assert write_plain(render_life(lost)).startswith("⚠")
