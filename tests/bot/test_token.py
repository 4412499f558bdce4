"""The screens of /token: evidence, age and end, on a phone."""

from msgspec.structs import replace

from bot.render.plain import write_plain
from bot.render.screen import Mark
from bot.render.token import render_token
from engine.bus.token_report import TokenReport
from engine.domain.token_safety import Finding, Standing, Trait
from tests.bot import token_samples
from tests.bot.conftest import Chat


def refused() -> TokenReport:
    return token_samples.tokens("MOON")


async def test_a_token_is_shown_with_its_evidence_its_age_and_its_end(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/token MOON")
        text = " ".join(chat.emulator.chats.from_bot()[-1].text.split())
    for said in ("MOON on base: refused", "5 m 0 s ago", "5 h 55 m more", "can raise", "25 %"):
        assert said in text


async def test_an_unknown_name_is_answered_and_leads_to_all(chat: Chat) -> None:
    async with chat.start():
        await chat.say("/token 0x0000000000000000000000000000000000000001")
        newest = chat.emulator.chats.from_bot()[-1]
        assert "No token" in newest.text
        await chat.say("/token")
        text = chat.emulator.chats.from_bot()[-1].text
    assert "341 refused" in text
    assert "TOLL base: taxed" in text


def test_a_verdict_that_ran_out_says_so_and_has_no_good_mark() -> None:
    report = token_samples.tokens("GOOD")
    assert render_token(report).mark is Mark.GOOD
    late = replace(report, now_s=report.now_s + 10**6)
    screen = render_token(late)
    assert screen.mark is Mark.WARN
    assert "ran out" in write_plain(screen)


def test_what_was_not_measured_is_no_zero() -> None:
    report = token_samples.tokens("GOOD")
    line = report.found[0]
    assert line.verdict is not None
    verdict = replace(line.verdict, standing=Standing.UNKNOWN, sell_tax_bps=None)
    shown = write_plain(render_token(replace(report, found=[replace(line, verdict=verdict)])))
    assert "buy 0%, send 0%, sell ?" in shown


def test_hostile_words_in_evidence_stay_one_line_without_markup() -> None:
    report = refused()
    line = report.found[0]
    assert line.verdict is not None
    nasty = Finding(Trait.MISLEADS, "\u202eevil\n\n<b>" + "x" * 180)
    verdict = replace(line.verdict, reasons=(nasty,))
    shown = write_plain(render_token(replace(report, found=[replace(line, verdict=verdict)])))
    assert "\u202e" not in shown
    assert all(len(row) <= 40 for row in shown.splitlines()[1:-1])
