"""What a person of a rank gets of what they ask for, and of what they could ask for."""

from dataclasses import replace

from bot.answer import Answer, Button
from bot.dispatch import Invocation, Refused, read_line
from bot.ranks import RANK_OF_KIND
from bot.render.troubles import render_not_permitted
from bot.session import Asked
from engine.domain.people import Rank


def permitted(asked: Asked, rank: Rank) -> Asked:
    """Refuse what takes another rank, before anything comes of it: a kill counts at once."""
    if not isinstance(asked, Invocation):
        return asked
    needed = RANK_OF_KIND[asked.kind]
    if rank.is_at_least(needed):
        return asked
    return Refused(Answer(screen=render_not_permitted(asked.shown, needed=needed)))


def with_buttons_for(rank: Rank, answer: Answer) -> Answer:
    """Leave out the buttons that would be refused."""
    rows = (tuple(one for one in row if _may_press(rank, one)) for row in answer.buttons)
    return replace(answer, buttons=tuple(row for row in rows if row))


def _may_press(rank: Rank, button: Button) -> bool:
    asked = read_line(button.line)
    return not isinstance(asked, Invocation) or rank.is_at_least(RANK_OF_KIND[asked.kind])
