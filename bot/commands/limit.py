"""Command /limit: change a limit."""

from decimal import Decimal, InvalidOperation

from msgspec.structs import replace

from bot.answer import Answer
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, ask_to_loosen, only_tighten
from bot.grammar import Argument, Form
from bot.render.safety import render_declined
from engine.bus.reports import Declined
from engine.requests.limits import SetLimit


async def limit(call: Call) -> Answer:
    """Tighten in one step; ask for what letting more through needs."""
    name, value = call.arguments.text("name") or "", call.arguments.text("value") or ""
    code = call.arguments.text("code")
    try:
        command = SetLimit(
            name=name.lower(), value=Decimal(value), is_confirmed=code is not None, code=code
        )
    except InvalidOperation:
        return Answer(screen=render_declined(Declined(why=f"{value} is no number")))
    if call.refusal is not None:
        tighter = replace(command, is_confirmed=False, code=None, only_tightens=True)
        return await only_tighten(call, tighter, call.refusal)
    report = await call.ask(call.seal(command, at_ns=call.given_at_ns if code else call.now_ns))
    if isinstance(report, Declined) and report.needs_confirmation:
        return await ask_to_loosen(
            call,
            replace(command, is_confirmed=True),
            report,
            asked=f"Change {command.name}?",
            action=f"Set {command.name} to {value}",
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
            "Tightening takes one step and acts at once; letting more through asks for a second:"
            " a tap, or with an authenticator the same line and its six digits."
            " No value is looser than that of the settings, which takes an earlier word back."
            " It survives a restart."
        ),
    ),
    handler=limit,
    grammar=(
        Argument(name="name", form=Form.WORD, is_required=True),
        Argument(name="value", form=Form.WORD, is_required=True),
        Argument(name="code", form=Form.CODE),
    ),
    may_tighten_when=lambda _: True,
)
