"""Command /limit: change a limit."""

from decimal import Decimal, InvalidOperation

from msgspec.structs import replace

from bot.answer import Answer, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly
from bot.grammar import Argument, Form
from bot.render.safety import render_ask_limit, render_declined
from engine.bus.reports import Declined
from engine.requests.limits import SetLimit
from engine.requests.overview import GetStatus


async def limit(call: Call) -> Answer:
    """Tighten in one step; ask for the second step before letting more through."""
    name, value = call.arguments.text("name") or "", call.arguments.text("value") or ""
    try:
        command = SetLimit(name=name.lower(), value=Decimal(value))
    except InvalidOperation:
        return Answer(screen=render_declined(Declined(why=f"{value} is no number")))
    report = await call.ask(call.seal(command, at_ns=call.now_ns))
    if isinstance(report, Declined) and report.needs_confirmation:
        now = await call.ask(GetStatus())
        return Answer(
            screen=render_ask_limit(command.name, now, why=report.why),
            confirmation=Confirmation(
                action=f"Set {command.name} to {value}",
                command=call.seal(replace(command, is_confirmed=True), at_ns=call.now_ns),
            ),
        )
    return answer_plainly(report, call.settings)


LIMIT = CommandEntry(
    name="limit",
    topic=Topic.SAFETY,
    kind=Kind.CHANGE,
    short_help="change a limit while running",
    long_help=(
        "Sets a limit by its name, as /limit position_usd 250; a name that is none lists them.",
        (
            "Tightening takes one step and acts at once; letting more through asks for a second."
            " No value is looser than that of the settings, which takes an earlier word back."
            " It survives a restart."
        ),
    ),
    handler=limit,
    grammar=(
        Argument(name="name", form=Form.WORD, is_required=True),
        Argument(name="value", form=Form.WORD, is_required=True),
    ),
)
