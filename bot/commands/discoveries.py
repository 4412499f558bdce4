"""Command /discoveries: what background work learned."""

import re
from typing import Final

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Form
from bot.render.discoveries import (
    make_panels,
    render_discoveries,
    render_discovery,
    render_evidence,
)
from bot.render.screen import Screen, brief
from engine.bus.discovery_reports import DiscoveriesReport, DiscoveryLine
from engine.bus.reports import Unknown
from engine.domain.discovery_kinds import KINDS_BY_NAME
from engine.requests.discoveries import GetDiscoveries, GetDiscovery, GetSimilar

_ONE: Final = re.compile(r"#?([0-9]{1,15})(?: (evidence|similar|chart))?")
_ALL: Final = Button(label="All in force", line="/discoveries")


async def discoveries(call: Call) -> Answer:
    """Show discoveries: those in force, of a kind, with some words, or one of them."""
    asked = call.arguments.text("what") or ""
    if one := _ONE.fullmatch(asked):
        return await _one(call, int(one[1]), one[2] or "")
    if asked in KINDS_BY_NAME:
        wanted = GetDiscoveries(kinds=(asked,), is_in_force=False)
    else:
        wanted = GetDiscoveries(words=asked, is_in_force=not asked)
    report = await call.ask(wanted)
    return Answer(
        screen=render_discoveries(report, asked=asked),
        buttons=(*_buttons_of(report), *(((_ALL,),) if asked else ())),
    )


async def _one(call: Call, seq: int, what: str) -> Answer:
    if what == "similar":
        alike = await call.ask(GetSimilar(seq=seq))
        if isinstance(alike, Unknown):
            return _unknown(seq)
        own = Button(label=f"#{seq}", line=f"/discoveries {seq}")
        return Answer(
            screen=render_discoveries(alike, asked=f"like #{seq}"),
            buttons=(*_buttons_of(alike), (own, _ALL)),
        )
    report = await call.ask(GetDiscovery(seq=seq))
    if isinstance(report, Unknown):
        return _unknown(seq)
    screen, buttons = render_discovery(report), _buttons(report.line)
    if what == "evidence":
        return Answer(screen=render_evidence(report), buttons=buttons)
    panels = make_panels(report) if what == "chart" else None
    return Answer(screen=screen if panels is None else brief(screen), buttons=buttons, chart=panels)


def _buttons_of(report: DiscoveriesReport) -> tuple[tuple[Button, ...], ...]:
    return tuple(
        (Button(label=f"#{line.seq}", line=f"/discoveries {line.seq}", key=str(line.seq)),)
        for line in report.lines
    )


def _buttons(line: DiscoveryLine) -> tuple[tuple[Button, ...], ...]:
    return (
        (
            Button(label="Evidence", line=f"/discoveries {line.seq} evidence"),
            Button(label="Chart", line=f"/discoveries {line.seq} chart"),
            Button(label="Similar", line=f"/discoveries {line.seq} similar"),
        ),
        (Button(label="Its kind", line=f"/discoveries {line.discovery.kind}"), _ALL),
    )


def _unknown(seq: int) -> Answer:
    return Answer(screen=Screen(title=f"No discovery #{seq} is kept"), buttons=((_ALL,),))


DISCOVERIES = CommandEntry(
    name="discoveries",
    topic=Topic.MARKET,
    kind=Kind.READ,
    short_help="what agents learned, and its effect",
    long_help=(
        (
            "Shows what background work learned and what holds now, the most trusted first, each"
            " with its main figure, the profit an hour that it was measured to bring, and its age."
        ),
        (
            "With a kind or words: all that was ever kept of it. With a number: that one, with what"
            " was earned with and without it; then evidence, chart or similar."
        ),
    ),
    handler=discoveries,
    grammar=(Argument(name="what", form=Form.REST),),
)
