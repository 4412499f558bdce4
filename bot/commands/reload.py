"""Command /reload: what the files of settings say that does not count yet, and the word for it."""

from msgspec.structs import replace

from bot.answer import Answer
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, ask_to_loosen
from bot.grammar import Argument, Form
from bot.render.config import render_files
from engine.bus.reports import Declined
from engine.requests.settings import AdoptSettings, GetSettings


async def reload(call: Call) -> Answer:
    """Show what waits; with what it needs, go by it."""
    code = call.arguments.text("code")
    files = await call.ask(GetSettings())
    if not files.waits:
        return Answer(screen=render_files(files))
    command = AdoptSettings(is_confirmed=code is not None, code=code)
    report = await call.ask(call.seal(command, at_ns=call.given_at_ns if code else call.now_ns))
    if isinstance(report, Declined) and report.needs_confirmation:
        return await ask_to_loosen(
            call,
            replace(command, is_confirmed=True),
            report,
            asked="Go by what the files say?",
            action="Go by the files",
        )
    return answer_plainly(report, call.settings)


RELOAD = CommandEntry(
    name="reload",
    topic=Topic.SAFETY,
    kind=Kind.CHANGE,
    short_help="settings changed in the files",
    long_help=(
        (
            "The files of settings are read again within seconds of a change, whole or not at all."
            " Limits count at once where they are tighter; where one lets more through all of it"
            " waits for this, and a tap or a code. All else counts from the next start on."
        ),
        "Alone it shows what waits, what counts later, and why a file is refused.",
    ),
    handler=reload,
    parent="config",
    grammar=(Argument(name="code", form=Form.CODE),),
)
