"""Commands: /alerts /ack /hush /mute /unmute /threshold /quiet.

They change how loud the chat is, never what the engine does: one step each, always honoured, and
none of them touches what is critical, except that it can be acknowledged.
"""

import re
from typing import Final

from bot.alert_buttons import act_buttons
from bot.alerts.acts import Act, why_not
from bot.alerts.table import kinds
from bot.answer import Answer
from bot.command import AlertsOfChat, Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Form
from bot.render.alerts import (
    LISTED,
    acknowledged_line,
    firing,
    render_alerts,
    render_done,
    render_ways_out,
    terms_lines,
)
from bot.render.safety import render_declined
from bot.render.words import clock_zone
from engine.bus.notices import AlertAct
from engine.bus.reports import Declined
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_S

_DURATION: Final = re.compile(r"(\d{1,3})(m|h|d)\Z", re.ASCII)
_UNITS_S: Final = {"m": 60, "h": 3_600, "d": 86_400}
DURATION_S_MAX: Final = 30 * 86_400

_NAME: Final = Argument(name="name", form=Form.WORD, is_required=True)
_DURATION_ARGUMENT: Final = Argument(name="duration", form=Form.WORD, is_required=True)
_EPISODE: Final = Argument(name="episode", form=Form.NUMBER, number_max=999_999_999)


async def alerts(call: Call) -> Answer:
    """Show what fires, with the acts; or try the ways out beside the chat."""
    chat = _chat(call)
    if call.arguments.text("what") == "test":
        return Answer(screen=render_ways_out(*await chat.try_ways_out()))
    machine = chat.machine
    machine.tick(now_ns=call.now_ns)
    screen = render_alerts(machine.alerts, machine.terms, now_ns=call.now_ns)
    rows = [
        act_buttons(alert, number=number)
        for number, alert in enumerate(firing(machine.alerts)[:LISTED], 1)
    ]
    return Answer(screen=screen, buttons=tuple(row for row in rows if row))


async def ack(call: Call) -> Answer:
    """Acknowledge an alert."""
    name = call.arguments.text("name") or ""
    act = _make(call, Act.ACK, name, episode=call.arguments.number("episode", default=0))
    done = await _carry_out(call, act)
    if isinstance(done, Answer):
        return done
    alert = _chat(call).machine.alerts[name]
    return Answer(
        screen=render_done(f"Acknowledged: {name}", [acknowledged_line(alert)], is_stored=done)
    )


async def hush(call: Call) -> Answer:
    """Silence an alert for a while."""
    name = call.arguments.text("name") or ""
    until_ns = _until_ns(call)
    if isinstance(until_ns, Answer):
        return until_ns
    episode = call.arguments.number("episode", default=0)
    done = await _carry_out(call, _make(call, Act.SNOOZE, name, until_ns=until_ns, episode=episode))
    if isinstance(done, Answer):
        return done
    line = f"Until {clock_zone(until_ns)}; then it is told again if it is still so."
    return Answer(screen=render_done(f"Silent: {name}", [line], is_stored=done))


async def mute(call: Call) -> Answer:
    """Mute a kind for a while."""
    kind = call.arguments.text("kind") or ""
    until_ns = _until_ns(call)
    if isinstance(until_ns, Answer):
        return until_ns
    done = await _carry_out(call, _make(call, Act.MUTE, kind, until_ns=until_ns))
    if isinstance(done, Answer):
        return done
    lines = [
        f"Until {clock_zone(until_ns)}. It is counted all the same, in /alerts and the digest.",
        "What is critical is told whatever is muted.",
    ]
    return Answer(screen=render_done(f"Muted: {kind}", lines, is_stored=done))


async def unmute(call: Call) -> Answer:
    """Tell a kind again, whatever was set about it."""
    kind = call.arguments.text("kind") or ""
    done = await _carry_out(call, _make(call, Act.UNMUTE, kind))
    if isinstance(done, Answer):
        return done
    return Answer(screen=render_done(f"Told again: {kind}", [], is_stored=done))


async def threshold(call: Call) -> Answer:
    """Tell a kind from a number on."""
    kind = call.arguments.text("kind") or ""
    number = call.arguments.number("number", default=0)
    done = await _carry_out(call, _make(call, Act.THRESHOLD, kind, number=number))
    if isinstance(done, Answer):
        return done
    what = f"${number} profit" if kind == "opportunity" else f"the {number}. time"
    return Answer(screen=render_done(f"{kind}: told from {what} on", [], is_stored=done))


async def quiet(call: Call) -> Answer:
    """Set or end quiet hours; without an argument, show them."""
    hours = call.arguments.text("hours")
    machine = _chat(call).machine
    if hours is None:
        lines = terms_lines(machine.terms) or ["No quiet hours are set."]
        return Answer(screen=render_done("Quiet hours", lines, is_stored=True))
    target = "" if hours.lower() == "off" else hours
    done = await _carry_out(call, _make(call, Act.QUIET, target))
    if isinstance(done, Answer):
        return done
    lines = ["What is critical sounds all the same."] if target else []
    title = f"Quiet hours: {target or 'none'}"
    return Answer(screen=render_done(title, lines, is_stored=done))


def _chat(call: Call) -> AlertsOfChat:
    if call.alerts is None:
        raise BadValueError(
            "alerts are kept, acknowledged and muted in the chat; the stream has what they are of"
        )
    return call.alerts


def _make(
    call: Call, act: Act, target: str, *, until_ns: int = 0, number: int = 0, episode: int = 0
) -> AlertAct:
    return AlertAct(
        at_ns=call.now_ns,
        basis=Basis.SANDBOX,  # the ledger writes its own
        by=call.by,
        act=act.value,
        target=target,
        until_ns=until_ns,
        number=number,
        episode=episode,
    )


async def _carry_out(call: Call, act: AlertAct) -> bool | Answer:
    """Carry an act out; returns whether it is stored, or the answer that it cannot be done."""
    chat = _chat(call)
    why = why_not(act, chat.machine.alerts)
    if why is not None:
        return _declined(f"{why[:1].upper()}{why[1:]}.")
    return await chat.act(act)


def _until_ns(call: Call) -> int | Answer:
    """Return when a duration ends, counted from when it was asked for."""
    match = _DURATION.match(call.arguments.text("duration") or "")
    seconds = int(match[1]) * _UNITS_S[match[2]] if match else 0
    if not 0 < seconds <= DURATION_S_MAX:
        return _declined("A duration is written as 30m, 4h or 2d, up to 30d.")
    return call.given_at_ns + seconds * NS_PER_S


def _declined(why: str) -> Answer:
    return Answer(screen=render_declined(Declined(why=why)))


_KIND: Final = Argument(name="kind", form=Form.CHOICE, is_required=True, choices=kinds())

ALERTS = CommandEntry(
    name="alerts",
    topic=Topic.NOTICES,
    kind=Kind.READ,
    short_help="what fires, since when, how often",
    long_help=(
        "Shows what is the matter now, the gravest first, with buttons to acknowledge and silence.",
        "P1 is critical: told until acknowledged, silenced by nothing. P2 sounds, P3 does not.",
        "/alerts test sends a trial to the pager bot and SYNDICATE_ALERT_URLS: which take it?",
    ),
    handler=alerts,
    grammar=(Argument(name="what", form=Form.CHOICE, choices=("test",)),),
)

ACK = CommandEntry(
    name="ack",
    topic=Topic.NOTICES,
    kind=Kind.PROTECTIVE,
    tightens=False,
    short_help="acknowledge an alert",
    long_help=(
        "Says that you saw it: it is not repeated, and goes out by no other way.",
        "What is still so half an hour later fires anew; a kill latch does not.",
    ),
    handler=ack,
    grammar=(_NAME, _EPISODE),
)

HUSH = CommandEntry(
    name="hush",
    topic=Topic.NOTICES,
    kind=Kind.PROTECTIVE,
    tightens=False,
    short_help="silence one alert for a while",
    long_help=(
        "As /hush venue:gemini 4h. Then it is told again if it is still so.",
        "What is critical cannot be silenced.",
    ),
    handler=hush,
    grammar=(_NAME, _DURATION_ARGUMENT, _EPISODE),
)

MUTE = CommandEntry(
    name="mute",
    topic=Topic.NOTICES,
    kind=Kind.PROTECTIVE,
    tightens=False,
    short_help="silence a kind of alert for a while",
    long_help=(
        "As /mute venue 2h. It is counted all the same; the daily digest tells how often.",
        "What is critical is told whatever is muted.",
    ),
    handler=mute,
    grammar=(_KIND, _DURATION_ARGUMENT),
)

UNMUTE = CommandEntry(
    name="unmute",
    topic=Topic.NOTICES,
    kind=Kind.PROTECTIVE,
    tightens=False,
    short_help="tell a kind of alert again",
    long_help=("Ends a /mute and a /threshold of that kind.",),
    handler=unmute,
    grammar=(_KIND,),
)

THRESHOLD = CommandEntry(
    name="threshold",
    topic=Topic.NOTICES,
    kind=Kind.PROTECTIVE,
    tightens=False,
    short_help="tell a kind from a number on",
    long_help=(
        "As /threshold limit 5: it is told when it has come five times.",
        "Of opportunities it is dollars of profit: /threshold opportunity 20.",
    ),
    handler=threshold,
    grammar=(
        _KIND,
        Argument(name="number", form=Form.NUMBER, is_required=True, number_max=1_000_000),
    ),
)

QUIET = CommandEntry(
    name="quiet",
    topic=Topic.NOTICES,
    kind=Kind.PROTECTIVE,
    tightens=False,
    short_help="hours without a sound",
    long_help=(
        "As /quiet 23-07, in your time zone; /quiet off ends it, /quiet shows it.",
        "What is critical sounds all the same.",
    ),
    handler=quiet,
    grammar=(Argument(name="hours", form=Form.WORD),),
)
