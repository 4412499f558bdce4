"""Command /drill: try the kill out."""

import time

from bot.answer import Answer
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly
from bot.grammar import Argument, Form
from bot.render.kills import render_drill
from engine.bus.kill_reports import DrillReport
from engine.requests.kills import DrillKill


async def drill(call: Call) -> Answer:
    """Have the engine kill itself as a drill, and show how long each step took."""
    began_ns = time.perf_counter_ns()
    report = await call.ask(call.seal(DrillKill()))
    whole_ms = (time.perf_counter_ns() - began_ns) / 1_000_000
    if isinstance(report, DrillReport):
        return Answer(screen=render_drill(report, whole_ms=whole_ms))
    return answer_plainly(report, call.settings)


DRILL = CommandEntry(
    name="drill",
    topic=Topic.SAFETY,
    kind=Kind.CHANGE,
    short_help="try the kill out, and measure it",
    long_help=(
        (
            "/drill kill sets the engine's own latch as a kill does, looks whether a plan would be"
            " refused, clears it again and says how long each step took."
        ),
        "Only while all is simulated, and not while killed. It is in the audit as a drill.",
    ),
    handler=drill,
    grammar=(Argument(name="what", form=Form.CHOICE, choices=("kill",), is_required=True),),
)
