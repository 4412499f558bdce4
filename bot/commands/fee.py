"""Command /fee: show the fees that are reckoned with, or set one."""

from decimal import Decimal, InvalidOperation
from typing import Final

from msgspec.structs import replace

from bot.answer import Answer, Button
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly, answer_unknown, ask_to_loosen, only_tighten
from bot.grammar import Argument, Arguments, Form
from bot.render.places import render_fees
from bot.render.safety import render_declined
from engine.bus.reports import Declined
from engine.requests.fees import GetFees, SetFee

_RESET: Final = "reset"
_TAKER: Final = "taker"
_MAKER: Final = "maker"
_NO_MAKER: Final = "every order here takes what is there: no maker fee is reckoned with"


async def fee(call: Call) -> Answer:
    """Show the fees; raise one in one step; ask for what a lower one needs."""
    venue, said = call.arguments.text("venue"), call.arguments.text("bps")
    if venue is None or said is None:
        return await _show(call, venue)
    bps = _NO_MAKER if call.arguments.text("of") == _MAKER else _bps(said)
    if isinstance(bps, str):
        return Answer(screen=render_declined(Declined(why=bps)))
    code = call.arguments.text("code")
    command = SetFee(venue=venue, bps=bps, is_confirmed=code is not None, code=code)
    if call.refusal is not None:
        higher = replace(command, is_confirmed=False, code=None, only_tightens=True)
        return await only_tighten(call, higher, call.refusal)
    report = await call.ask(call.seal(command, at_ns=call.given_at_ns if code else call.now_ns))
    if isinstance(report, Declined) and report.needs_confirmation:
        return await ask_to_loosen(
            call,
            replace(command, is_confirmed=True),
            report,
            asked=f"Change the fee of {venue}?",
            action=f"Set it to {'the settings' if bps is None else f'{bps:f} bps'}",
        )
    if isinstance(report, Declined) and report.nearest:
        near = Button(label=f"{report.nearest} {said}", line=f"/fee {report.nearest} {said}")
        return Answer(screen=render_declined(report), buttons=((near,),))
    return answer_plainly(report, call.settings)


def _bps(said: str) -> Decimal | str | None:
    """Read a fee, None for that of the settings; or say what is wrong."""
    if said.lower() == _RESET:
        return None
    try:
        value = Decimal(said)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        return f"{said} is no fee in bps: a number, as 10 for 0.1 % of what is traded, or {_RESET}"
    return value


async def _show(call: Call, venue: str | None) -> Answer:
    """Show all fees, or that of one venue."""
    report = await call.ask(GetFees())
    if venue is not None:
        found = [line for line in report.fees if line.venue == venue.lower()]
        if not found:
            return answer_unknown("/fee", "fee of", venue, [line.venue for line in report.fees])
        report = replace(report, fees=found)
    own = [line.venue for line in report.fees if line.since_ns is not None]
    rows = [
        (Button(label=f"{name} {_RESET}", line=f"/fee {name} {_RESET}", key=name),) for name in own
    ]
    menu = (Button(label="Risk", line="/limits"), Button(label="Settings", line="/config costs"))
    return Answer(screen=render_fees(report), buttons=(*rows, menu))


def is_set(arguments: Arguments) -> bool:
    """Say whether a call sets a fee."""
    return arguments.text("bps") is not None


FEE = CommandEntry(
    name="fee",
    topic=Topic.SAFETY,
    kind=Kind.READ,
    short_help="fees that are reckoned with; set one",
    long_help=(
        (
            "Alone it shows the taker fee of each venue in bps, and since when; /fee binance 12.5"
            " sets one, /fee binance reset takes that back. Every order here takes, so that no"
            " maker fee counts; a pool's fee is read from its chain."
        ),
        (
            "Where orders are placed for real the venue tells the fee of our tier: that is reckoned"
            " with for two hours, then the higher of it and the settings'. It never undercuts what"
            " you set, and no fee is lower than it."
        ),
        (
            "A higher fee acts at once; a lower one asks for a second step: a tap, or with an"
            " authenticator the same line and its six digits. It survives a restart; where the"
            " settings have changed since, the higher of the two holds."
        ),
    ),
    handler=fee,
    grammar=(
        Argument(name="venue", form=Form.PLACE),
        Argument(name="of", form=Form.CHOICE, choices=(_TAKER, _MAKER), may_be_skipped=True),
        Argument(name="bps", form=Form.AMOUNT),
        Argument(name="code", form=Form.CODE),
    ),
    parent="limits",
    changes_when=is_set,
    may_tighten_when=is_set,
)
