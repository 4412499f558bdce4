"""Commands: /approvals /approve /reject /half /snooze /mandate /mandates /revoke."""

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from msgspec.structs import replace

from bot.answer import Answer, Button, Confirmation
from bot.command import Call, CommandEntry, Kind, Topic
from bot.commands.common import answer_plainly
from bot.grammar import Argument, Form
from bot.render.approvals import (
    render_approvals,
    render_ask_mandate,
    render_mandates,
    render_said,
)
from bot.render.safety import render_declined
from bot.shown import shown_of
from engine.bus.permit_reports import WaitingReport
from engine.bus.reports import Declined
from engine.domain.approvals import ApprovalAct
from engine.domain.errors import TransientError
from engine.domain.mandates import STRATEGIES, Scope, ScopeKind
from engine.domain.opportunities import route_of
from engine.requests.approvals import (
    AnswerApproval,
    GetApprovals,
    GetMandates,
    GetWaiting,
    GrantMandate,
    RevokeMandate,
)

WEEK_DAYS: Final = 7
TEN_MINUTES_S: Final = 600
LIKE_TIMES: Final = 5
"""A mandate like a plan is for so many of its size."""

_STEP_USD: Final = Decimal(10)
_EDGE_STEP_BPS: Final = Decimal("0.1")
_DURATION: Final = re.compile(r"([0-9]{1,5})(s|m|h|d)\Z")
_UNIT_S: Final = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_NONCE: Final = re.compile(r"[0-9a-f]{12}\Z")


async def approvals(call: Call) -> Answer:
    """Show what waits, with its buttons, and what waiting cost in a week."""
    report = await call.ask(GetApprovals())
    for one in report.waiting:
        await call.ask(shown_of(one))  # whoever reads it here may approve it by its id
    waiting: WaitingReport | None
    try:
        waiting = await call.ask(GetWaiting(days=WEEK_DAYS))
    except TransientError:
        waiting = None
    rows = [
        # What approves stands below the terms alone.
        (Button(label=f"Reject {number}", line=f"/reject {one.nonce}", is_alarming=True),)
        for number, one in enumerate(report.waiting, 1)
    ]
    menu = (Button(label="Mandates", line="/mandates"), Button(label="Mode", line="/mode"))
    return Answer(screen=render_approvals(report, waiting), buttons=(*rows, menu))


APPROVALS = CommandEntry(
    name="approvals",
    topic=Topic.PERMITS,
    kind=Kind.READ,
    short_help="what waits for your word",
    long_help=(
        (
            "Shows the plans that wait for approval, what became of the newest, and what waiting"
            " cost in the last seven days."
        ),
    ),
    handler=approvals,
)


async def _say(call: Call, act: ApprovalAct) -> Answer:
    command = AnswerApproval(nonce=(call.arguments.text("id") or "").lower(), said=act)
    report = await call.ask(call.seal(command, at_ns=call.now_ns))
    # The prompt itself says the rest, when its news comes.
    return Answer(screen=render_said(report), is_brief=True)


async def approve(call: Call) -> Answer:
    """Approve a plan within the terms that are shown."""
    return await _say(call, ApprovalAct.APPROVE)


async def reject(call: Call) -> Answer:
    """Reject a plan."""
    return await _say(call, ApprovalAct.REJECT)


async def half(call: Call) -> Answer:
    """Have half of a plan asked for."""
    return await _say(call, ApprovalAct.HALVE)


async def snooze(call: Call) -> Answer:
    """Ask nothing of a route for a while."""
    return await _say(call, ApprovalAct.SNOOZE)


_ID = (Argument(name="id", form=Form.WORD, is_required=True),)

APPROVE = CommandEntry(
    name="approve",
    topic=Topic.PERMITS,
    kind=Kind.CHANGE,
    short_help="carry out a plan that waits",
    long_help=(
        (
            "Approves the plan with this id, as its button does. It is looked at once more: it is"
            " carried out if the market still gives it within the terms shown, else asked for anew."
        ),
        "What is approved are bounds, not prices: it may come out better, never worse.",
    ),
    handler=approve,
    grammar=_ID,
)
REJECT = CommandEntry(
    name="reject",
    topic=Topic.PERMITS,
    kind=Kind.PROTECTIVE,
    short_help="refuse a plan that waits",
    long_help=("Refuses the plan with this id. Its route is not asked for again for 5 minutes.",),
    handler=reject,
    grammar=_ID,
)
HALF = CommandEntry(
    name="half",
    topic=Topic.PERMITS,
    kind=Kind.CHANGE,
    short_help="have half of a plan asked for",
    long_help=("Ends the approval with this id and asks for half of its size, with new terms.",),
    handler=half,
    grammar=_ID,
)
SNOOZE = CommandEntry(
    name="snooze",
    topic=Topic.PERMITS,
    kind=Kind.PROTECTIVE,
    short_help="leave a route alone for 15 minutes",
    long_help=("Ends the approval with this id and asks nothing of its route for 15 minutes.",),
    handler=snooze,
    grammar=_ID,
)


async def mandate(call: Call) -> Answer:
    """Ask for the second step of a standing permission."""
    made = await _make(call)
    if isinstance(made, str):
        return Answer(screen=render_declined(Declined(why=made)))
    report = await call.ask(call.seal(made, at_ns=call.now_ns))
    if isinstance(report, Declined) and report.needs_confirmation:
        screen = render_ask_mandate(
            made.scope,
            each_usd=made.each_usd_max,
            total_usd=made.total_usd_max,
            edge_bps=made.edge_bps_min,
            lasts_s=made.lasts_s,
        )
        confirmed = call.seal(replace(made, is_confirmed=True), at_ns=call.now_ns)
        return Answer(
            screen=screen, confirmation=Confirmation(action="Grant it", command=confirmed)
        )
    return answer_plainly(report, call.settings)


async def _make(call: Call) -> GrantMandate | str:
    """Return the mandate that is asked for, or what is wrong."""
    what = call.arguments.text("what") or ""
    if _NONCE.match(what):
        return await _make_like(call, what)
    total = Decimal(call.arguments.number("usd", default=0))
    if not total:
        return "say how much in USD: /mandate any 500 10m"
    lasts_s = _seconds(call.arguments.text("for") or "10m")
    if lasts_s is None:
        return f"{call.arguments.text('for')} is no duration; say 90s, 10m, 6h or 2d"
    each = Decimal(call.arguments.number("each", default=int(total)))
    return GrantMandate(
        scope=_scope(what),
        each_usd_max=min(each, total),
        total_usd_max=total,
        edge_bps_min=Decimal(call.arguments.number("bps", default=0)),
        lasts_s=lasts_s,
    )


async def _make_like(call: Call, nonce: str) -> GrantMandate | str:
    """Return a mandate for the route of a plan that waits, five times its size, ten minutes."""
    report = await call.ask(GetApprovals())
    for one in report.waiting:
        if one.nonce == nonce:
            plan = one.approval.plan
            each = (plan.notional_usd / _STEP_USD).to_integral_value(ROUND_CEILING) * _STEP_USD
            return GrantMandate(
                scope=Scope(kind=ScopeKind.ROUTE, name=route_of(plan.opportunity)),
                each_usd_max=each,
                total_usd_max=each * LIKE_TIMES,
                edge_bps_min=(plan.net_edge_bps / 2).quantize(_EDGE_STEP_BPS, ROUND_FLOOR),
                lasts_s=TEN_MINUTES_S,
            )
    return "that plan waits no more; name a pair, a venue or any: /mandate BTC-USD 500 10m"


def _scope(what: str) -> Scope:
    if what.lower() == ScopeKind.ANY.value:
        return Scope(kind=ScopeKind.ANY)
    if what.lower() in STRATEGIES:
        return Scope(kind=ScopeKind.STRATEGY, name=what.lower())
    if "-" in what:
        return Scope(kind=ScopeKind.PAIR, name=what.upper())
    return Scope(kind=ScopeKind.VENUE, name=what.lower())


def _seconds(text: str) -> int | None:
    match = _DURATION.match(text.lower())
    return None if match is None else int(match.group(1)) * _UNIT_S[match.group(2)]


_USD_MAX: Final = 999_999_999

MANDATE = CommandEntry(
    name="mandate",
    topic=Topic.PERMITS,
    kind=Kind.CHANGE,
    short_help="let trades pass without a word",
    long_help=(
        (
            "Grants a standing permission, in two steps, as /mandate BTC-USD 500 10m: trades of"
            " this pair of up to 500 USD in all pass for ten minutes without a word. Instead of a"
            f" pair: a venue, any, or one of {', '.join(STRATEGIES)}."
        ),
        "A fourth number is the most USD of one trade, a fifth the least net edge in bps.",
        "A kill, a failed leg, a lost venue, a restart or /revoke ends it.",
    ),
    handler=mandate,
    grammar=(
        Argument(name="what", form=Form.WORD, is_required=True),
        Argument(name="usd", form=Form.NUMBER, number_max=_USD_MAX),
        Argument(name="for", form=Form.WORD),
        Argument(name="each", form=Form.NUMBER, number_max=_USD_MAX),
        Argument(name="bps", form=Form.NUMBER, number_min=0, number_max=10_000),
    ),
)


async def mandates(call: Call) -> Answer:
    """Show what is granted."""
    report = await call.ask(GetMandates())
    rows = [
        (Button(label=f"Revoke {name}", line=f"/revoke {name}", is_alarming=True),)
        for name in [use.mandate.mandate_id for use in report.open]
    ]
    return Answer(
        screen=render_mandates(report),
        buttons=(*rows, (Button(label="Approvals", line="/approvals"),)),
    )


MANDATES = CommandEntry(
    name="mandates",
    topic=Topic.PERMITS,
    kind=Kind.READ,
    short_help="what is granted and what is left",
    long_help=("Shows each mandate: what it is for, how long it holds, and what was spent.",),
    handler=mandates,
)


async def revoke(call: Call) -> Answer:
    """Take a mandate back, at once."""
    named = call.arguments.text("id") or "all"
    command = RevokeMandate(mandate_id="" if named.lower() == "all" else named.lower())
    return answer_plainly(await call.ask(call.seal(command, at_ns=call.now_ns)), call.settings)


REVOKE = CommandEntry(
    name="revoke",
    topic=Topic.PERMITS,
    kind=Kind.PROTECTIVE,
    short_help="take a mandate back",
    long_help=("Takes a mandate back by its id, at once; without an id, all of them.",),
    handler=revoke,
    grammar=(Argument(name="id", form=Form.WORD),),
)
