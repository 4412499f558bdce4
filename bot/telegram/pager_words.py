"""What the pager takes: what makes the engine do less, an acknowledgement, and one look."""

from dataclasses import replace
from typing import Final

from bot.answer import Answer, Button
from bot.dispatch import Invocation, Refused, read_line
from bot.menus import KILL, OVERVIEW
from bot.render.pager import render_only_protective, render_pager_start
from bot.telegram.arrivals import Arrival

TAKEN_TOO: Final = ("ack", "status")
_GREETINGS: Final = ("start", "help")

BUTTONS: Final = ((KILL, Button(label="Pause", line="/pause"), OVERVIEW),)
MENU: Final = ("status", "kill", "pause", "cancel", "ack")


def narrow_arrival(arrival: Arrival) -> Arrival:
    """Have all else refused, with what is taken."""
    asked = arrival.asked
    if isinstance(asked, Refused) or (isinstance(asked, Invocation) and _is_taken(asked)):
        return arrival
    if not isinstance(asked, Invocation):
        return replace(arrival, asked=None)  # nothing here has a second step
    if asked.entry.name in _GREETINGS:
        screen = render_pager_start()
    else:
        screen = render_only_protective(asked.shown)
    return replace(arrival, asked=Refused(Answer(screen=screen, buttons=BUTTONS)))


def narrow_answer(answer: Answer) -> Answer:
    """Leave out the buttons that would be refused."""
    rows = (tuple(one for one in row if _is_line_taken(one.line)) for row in answer.buttons)
    return replace(answer, buttons=tuple(row for row in rows if row))


def _is_line_taken(line: str) -> bool:
    asked = read_line(line)
    return isinstance(asked, Invocation) and _is_taken(asked)


def _is_taken(asked: Invocation) -> bool:
    return asked.tightens or asked.entry.name in TAKEN_TOO
