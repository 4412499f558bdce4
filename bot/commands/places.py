"""Commands: /venue /pair: switch one off, or on again."""

from typing import Final

from msgspec.structs import replace

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, answer_unknown, ask_to_loosen
from bot.grammar import Argument, Arguments, Form
from bot.render.places import render_places
from bot.render.safety import render_declined
from engine.bus.place_reports import PlaceLine
from engine.bus.reports import Acknowledged, Declined
from engine.domain.switched_off import PlaceKind
from engine.requests.places import GetPlaces, SwitchOff, SwitchOn

_OFF: Final = "off"
_ON: Final = "on"
_LABEL_MAX: Final = 24
"""Characters of a name on a button; a token without a code has its address in it."""


async def venue(call: Call) -> Answer:
    """Show the venues, or switch one."""
    return await _place(call, PlaceKind.VENUE)


async def pair(call: Call) -> Answer:
    """Show the pairs, or switch one."""
    return await _place(call, PlaceKind.PAIR)


async def _place(call: Call, kind: PlaceKind) -> Answer:
    name, wanted = call.arguments.text("name"), call.arguments.text("state")
    if name is None or wanted is None:
        return await _show(call, kind, name)
    if wanted == _OFF:
        report = await call.ask(call.seal(SwitchOff(kind=kind, name=name)))
        return _answered(call, kind, report, wanted)
    code = call.arguments.text("code")
    command = SwitchOn(kind=kind, name=name, is_confirmed=code is not None, code=code)
    report = await call.ask(call.seal(command, at_ns=call.given_at_ns if code else call.now_ns))
    if isinstance(report, Declined) and report.needs_confirmation:
        return await ask_to_loosen(
            call,
            replace(command, is_confirmed=True),
            report,
            asked=f"Switch {kind} {name} on?",
            action=f"Switch {_short(name)} on",
        )
    return _answered(call, kind, report, wanted)


async def _show(call: Call, kind: PlaceKind, name: str | None) -> Answer:
    """Show all of a kind, those that a name is a part of if one is given."""
    report = await call.ask(GetPlaces(kind=kind))
    if name is not None:
        found = [line for line in report.places if name.lower() in line.name.lower()]
        if not found:
            known = [line.name for line in report.places]
            return answer_unknown(f"/{kind}", str(kind), name, known)
        report = replace(report, places=found)
    other = PlaceKind.PAIR if kind is PlaceKind.VENUE else PlaceKind.VENUE
    menu = (
        Button(label=f"{other.value.capitalize()}s", line=f"/{other}"),
        Button(label="Risk", line="/limits"),
    )
    rows = [(_button(kind, line),) for line in report.places]
    return Answer(screen=render_places(report), buttons=(*rows, menu))


def _button(kind: PlaceKind, line: PlaceLine) -> Button:
    """Return what switches it, the other way than it is."""
    if line.off_since_ns is not None:
        return Button(
            label=f"{_short(line.name)} on…", line=f"/{kind} {line.name} {_ON}", key=line.name
        )
    return Button(
        label=f"{_short(line.name)} off",
        line=f"/{kind} {line.name} {_OFF}",
        key=line.name,
        is_alarming=True,
    )


def _answered(call: Call, kind: PlaceKind, report: Acknowledged | Declined, wanted: str) -> Answer:
    if isinstance(report, Declined) and report.nearest:
        near = report.nearest
        button = Button(label=f"{_short(near)} {wanted}", line=f"/{kind} {near} {wanted}")
        return Answer(screen=render_declined(report), buttons=((button,),))
    return answer_plainly(report, call.settings)


def _short(name: str) -> str:
    return name if len(name) <= _LABEL_MAX else f"{name[: _LABEL_MAX - 1]}…"


def is_off(arguments: Arguments) -> bool:
    """Say whether a call switches something off."""
    return arguments.text("state") == _OFF


def is_on(arguments: Arguments) -> bool:
    """Say whether a call switches something on."""
    return arguments.text("state") == _ON


_GRAMMAR = (
    Argument(name="name", form=Form.PLACE),
    Argument(name="state", form=Form.CHOICE, choices=(_OFF, _ON)),
    Argument(name="code", form=Form.CODE),
)
_HOW = (
    (
        "Off acts at once: from the next decision on no plan uses it; its prices are still"
        " followed and shown, plans under way end as they would. Approvals that wait for it and"
        " mandates that name it are void. It survives a restart."
    ),
    (
        "On asks for a second step: a tap, or with an authenticator the same line and its six"
        " digits."
    ),
)

VENUE = CommandEntry(
    name="venue",
    topic=Topic.SAFETY,
    kind=Kind.READ,
    short_help="switch a venue off, or on again",
    long_help=(
        (
            "Alone it lists the venues and what is off; /venue gemini off switches one off. Pools"
            " of a protocol on a chain are a venue too, as uniswap_v3@ethereum."
        ),
        *_HOW,
    ),
    handler=venue,
    grammar=_GRAMMAR,
    parent="limits",
    protective_when=is_off,
    changes_when=is_on,
)
PAIR = CommandEntry(
    name="pair",
    topic=Topic.SAFETY,
    kind=Kind.READ,
    short_help="switch a pair off, or on again",
    long_help=(
        (
            "Alone it lists the pairs and what is off; /pair BTC-USD off switches one off: no leg"
            " turns the one into the other any more, wherever."
        ),
        *_HOW,
    ),
    handler=pair,
    grammar=_GRAMMAR,
    parent="limits",
    protective_when=is_off,
    changes_when=is_on,
)
