"""Command /audit: the newest acts, and whether the chain of all is whole."""

from bot.answer import Answer
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Form
from bot.render.audit import render_audit
from engine.requests.audit import GetAudit

_SHOWN = 4
_SHOWN_MAX = 20


async def audit(call: Call) -> Answer:
    """Show the newest acts."""
    report = await call.ask(GetAudit(limit=call.arguments.number("acts", default=_SHOWN)))
    return Answer(screen=render_audit(report))


AUDIT = CommandEntry(
    name="audit",
    topic=Topic.SAFETY,
    kind=Kind.READ,
    short_help="acts in their chain of hashes",
    long_help=(
        (
            "Shows the newest acts (kills, codes, modes, limits, what waited) and whether the chain"
            " of all of them is whole: each has a hash over itself and the one before it."
        ),
        "Note the newest hash now and then: make audit HEAD=it finds whether it is still there.",
    ),
    handler=audit,
    parent="system",
    grammar=(Argument(name="acts", form=Form.NUMBER, number_max=_SHOWN_MAX),),
)
