"""Commands /health and /incident: how all components stand, and what failed together."""

from typing import Final

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.grammar import Argument, Form
from bot.render.health import (
    make_strips,
    render_health,
    render_incident,
    render_incidents,
    render_policies,
    render_seen,
)
from bot.render.market import render_unknown
from bot.render.screen import brief
from engine.bus.reports import Unknown
from engine.domain.errors import AbsentError, TransientError
from engine.requests.health import GetHealth, GetIncident, GetIncidents, LookAtPlaces

_PICTURE: Final = "picture"
_POLICIES: Final = "policies"
INCIDENTS_SHOWN: Final = 10
NUMBER_MAX: Final = 1_000_000

_HEALTH = Button(label="Health", line="/health")
_INCIDENTS = Button(label="Incidents", line="/incident")
_STRIPS = Button(label="Picture", line=f"/health {_PICTURE}")
_RECOVERY = Button(label="Recovery", line=f"/health {_POLICIES}")
_SYSTEM = Button(label="System", line="/system")
_RESOURCES = Button(label="Resources", line="/resources")


async def health(call: Call) -> Answer:
    """Show what is not well, or draw how all stood over a day."""
    try:
        report = await call.ask(GetHealth())
    except AbsentError:
        raise
    except TransientError as error:
        seen = await call.ask(LookAtPlaces())
        screen = render_seen(seen, why=str(error), now_ns=call.now_ns)
        return Answer(screen=screen, buttons=((_HEALTH, _SYSTEM),))
    screen = render_health(report, now_ns=call.now_ns)
    if call.arguments.text("what") == _POLICIES:
        return Answer(screen=render_policies(report), buttons=((_HEALTH, _INCIDENTS),))
    if call.arguments.text("what") == _PICTURE and (strips := make_strips(report)) is not None:
        return Answer(screen=brief(screen), buttons=((_HEALTH, _INCIDENTS),), chart=strips)
    return Answer(screen=screen, buttons=((_STRIPS, _RECOVERY, _INCIDENTS), (_SYSTEM, _RESOURCES)))


HEALTH = CommandEntry(
    name="health",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="every component, and how available",
    long_help=(
        (
            "Shows which components are not well, since when and why: processes, feeds, chains,"
            " their providers, database, disk, recording, the way to your phone, real orders."
            " Looking changes nothing. What nobody can see now (it starts, or whoever sees it is"
            " away) is called unseen and counts as no failure. While the ledger is away, which"
            " keeps all of this, it shows what the engine sees by itself."
        ),
        "picture draws how each stood over a day, with how much of it it was available.",
        (
            "policies shows how the program helps itself: each way of recovering by name, how often"
            " it was tried, how often it helped, and how soon."
        ),
    ),
    handler=health,
    parent="system",
    grammar=(Argument(name="what", form=Form.CHOICE, choices=(_PICTURE, _POLICIES)),),
)


async def incident(call: Call) -> Answer:
    """List incidents, or show one with its timeline."""
    number = call.arguments.number("number", default=0)
    if number == 0:
        listed = await call.ask(GetIncidents(most=INCIDENTS_SHOWN))
        rows = tuple(
            (
                Button(
                    label=f"Incident {one.number}",
                    line=f"/incident {one.number}",
                    key=str(one.number),
                ),
            )
            for one in listed.incidents
        )
        return Answer(screen=render_incidents(listed), buttons=(*rows, (_HEALTH, _SYSTEM)))
    report = await call.ask(GetIncident(number=number))
    if isinstance(report, Unknown):
        return Answer(screen=render_unknown(report), buttons=((_INCIDENTS,),))
    return Answer(screen=render_incident(report), buttons=((_INCIDENTS, _HEALTH),))


INCIDENT = CommandEntry(
    name="incident",
    topic=Topic.OVERVIEW,
    kind=Kind.READ,
    short_help="failures that belong together",
    long_help=(
        (
            "Lists incidents, those that are open first: failures of one cause, from the first"
            " until all is well and has been for two minutes."
        ),
        "With a number: when what was seen and what was tried.",
    ),
    handler=incident,
    parent="health",
    grammar=(Argument(name="number", form=Form.NUMBER, number_max=NUMBER_MAX),),
)
