"""Screens of approvals and mandates: what is shown is what is carried out."""

from collections.abc import Sequence
from decimal import Decimal

from bot.render import words
from bot.render.screen import Facts, Mark, Screen, Table, Text
from engine.bus.notices import ApprovalAsked, ApprovalEnded, MandateEnded, PaperTraded
from engine.bus.permit_reports import ApprovalsReport, MandatesReport, WaitingReport
from engine.bus.reports import Acknowledged, Declined
from engine.domain.approvals import Approval, ApprovalState
from engine.domain.mandates import MandateUse, Scope, ScopeKind
from engine.domain.opportunities import Side
from engine.domain.permits import shown_digest
from engine.domain.plans import AtomicPlan, MixedPlan, Part, Plan, digest_of_plan
from engine.domain.units import NS_PER_S

END_WORDS = {
    ApprovalState.EXECUTED: "Approved",
    ApprovalState.STALE: "Approved, but the market left",
    ApprovalState.REJECTED: "Rejected",
    ApprovalState.HALVED: "Half is asked for",
    ApprovalState.SNOOZED: "Snoozed",
    ApprovalState.EXPIRED: "Expired",
    ApprovalState.COVERED: "Carried out by a mandate",
    ApprovalState.VOID_KILL: "Void: killed",
    ApprovalState.VOID_MODE: "Void: mode or pause",
    ApprovalState.VOID_OFF: "Void: switched off",
    ApprovalState.VOID_RESTART: "Void: restarted",
    ApprovalState.VOID_BLIND: "Void: chat was blind",
    ApprovalState.UNDELIVERED: "Void: not shown in time",
    ApprovalState.OUTBID: "Void: outbid",
    ApprovalState.PENDING: "Waiting",
}

_DONE = {ApprovalState.EXECUTED, ApprovalState.COVERED}


def render_asked(notice: ApprovalAsked, *, note: str) -> Screen:
    """Ask for a plan, with all its bounds."""
    approval = notice.approval
    expected = _usd(approval.plan, approval.plan.profit_quote)
    second = f" (1 of {approval.operators_needed} has)" if approval.approved_by else ""
    return Screen(
        title=f"Approve? {expected} expected{second}",
        mark=Mark.WARN,
        blocks=(Facts((*_terms(approval), ("Until", words.clock(approval.expires_at_ns)))),),
        note=note,
    )


def render_ended(notice: ApprovalEnded, *, note: str) -> Screen:
    """Say what became of it; the terms stay."""
    approval, end = notice.approval, notice.end
    is_done = end.state in _DONE
    rows = [*_terms(approval), ("Ended", words.clock(end.at_ns))]
    if end.by:
        rows.append(("By", end.by))
    if end.why:
        rows.append(("As", end.why))
    return Screen(
        title=END_WORDS[end.state],
        mark=Mark.GOOD if is_done else Mark.NONE,
        blocks=(Facts(tuple(rows)),),
        note=note,
    )


def render_realised(notice: PaperTraded, approval: Approval, *, note: str) -> Screen:
    """Say what an approved plan came to, under its terms."""
    worst = _usd(approval.plan, approval.worst_quote)
    realised = words.usd(notice.profit_usd, is_signed=True)
    rows = [*_terms(approval), ("Got", f"{realised}, worst allowed {worst}")]
    if len(approval.approved_by) > 1:
        rows.append(("By", ", ".join(approval.approved_by)))
    if notice.left_over:
        rows.append(("Left", words.left_over(notice.left_over)))
    if notice.why_reverted:
        rows.append(("As", notice.why_reverted))
    is_good = notice.profit_usd >= _exact_usd(approval.plan, approval.worst_quote)
    return Screen(
        title=f"Approved trade {realised}",
        mark=Mark.GOOD if is_good else Mark.WARN,
        blocks=(Facts(tuple(rows)),),
        note=note,
    )


def render_said(report: Acknowledged | Declined) -> Screen:
    """Say in one line what a person's word came to."""
    if isinstance(report, Acknowledged):
        return Screen(title=report.text.capitalize(), mark=Mark.GOOD)
    return Screen(title=f"Not done: {report.why}", mark=Mark.WARN)


def _terms(approval: Approval) -> list[tuple[str, str]]:
    """Return the bounds, and the digest of the very plan that they are read from."""
    plan = approval.plan
    net = f"{_usd(plan, plan.profit_quote)}, at worst {_usd(plan, approval.worst_quote)}"
    return [
        ("Net", net),
        *_legs(plan),
        ("Why", approval.why),
        ("Terms", shown_digest(digest_of_plan(plan))),
    ]


def _legs(plan: Plan) -> list[tuple[str, str]]:
    if isinstance(plan, AtomicPlan):
        first, last = plan.steps[0], plan.steps[-1]
        loan = ", lent" if plan.has_flash_loan else ""
        return [
            ("Chain", f"{plan.chain}, {len(plan.steps)} swaps, all or nothing"),
            ("Spend", f"{words.size(first.amount_in)} {first.source}{loan}"),
            ("Back", f"≥ {words.price(last.amount_out_min)} {last.target}"),
            ("Gas", f"≤ {words.size(plan.gas.amount)} {plan.gas.asset}"),
        ]
    rows = []
    if isinstance(plan, MixedPlan):
        rows += _mixed(plan)
    for leg in plan.legs:
        bound = f"{'≤' if leg.side is Side.BUY else '≥'}{words.price(leg.price_limit)}"
        size = f"{words.size(leg.size_base)} {leg.instrument.pair.base}"
        quote = leg.instrument.pair.quote
        priced = bound if quote == plan.opportunity.quote else f"{bound} {quote}"
        rows.append((leg.side.value.capitalize(), f"{size} {leg.venue} {priced}"))
    return rows


def _mixed(plan: MixedPlan) -> list[tuple[str, str]]:
    """Return the bounds of the transaction among orders, what goes first, and what that leaves."""
    first, last = plan.steps[0], plan.steps[-1]
    goes = "transaction, then orders" if plan.first is Part.TRANSACTION else "orders, then chain"
    rows = [
        ("Chain", f"{plan.chain}, {len(plan.steps)} swaps, all or nothing"),
        ("Give", f"{words.size(first.amount_in)} {first.source}"),
        ("Get", f"≥ {words.size(last.amount_out_min)} {last.target}"),
        ("Gas", f"≤ {words.size(plan.gas.amount)} {plan.gas.asset}"),
        ("First", goes),
    ]
    for one in plan.meanwhile:
        what = "held" if one.is_held else "short"
        rows.append(("Risk", f"{words.size(one.amount)} {one.asset} {what} at {one.at} till then"))
    return rows


def _exact_usd(plan: Plan, quote: Decimal) -> Decimal:
    return quote * plan.usd_per_quote


def _usd(plan: Plan, quote: Decimal) -> str:
    return words.usd(_exact_usd(plan, quote), is_signed=True)


def render_approvals(report: ApprovalsReport, waiting: WaitingReport | None) -> Screen:
    """Show what waits, what ended lately, and what waiting cost."""
    rows = tuple(
        (
            f"{number} {one.approval.plan.opportunity.pair}",
            (
                f"{_usd(one.approval.plan, one.approval.plan.profit_quote)},"
                f" {_left(one.approval.expires_at_ns - report.at_ns)} left"
            ),
        )
        for number, one in enumerate(report.waiting, 1)
    )
    blocks: list[Facts | Text | Table] = []
    if rows:
        blocks.append(Facts(rows))
        blocks.append(Text("Each is approved below its own message, which has its terms."))
    else:
        blocks.append(Text(f"Nothing waits. The mode is {report.mode.value}."))
    if report.left_out:
        blocks.append(Text(_left_out(report)))
    if report.ended:
        blocks.append(
            Facts(tuple((words.clock(end.at_ns), END_WORDS[end.state]) for end in report.ended[:4]))
        )
    if waiting is not None and waiting.lines:
        blocks.append(_waiting_table(waiting))
        cost = words.usd(waiting.cost_usd)
        blocks.append(Text(f"Waiting cost {cost} in 7 days: expected when asked, less realised."))
    return Screen(title="Approvals", blocks=tuple(blocks), note=words.BASIS_WORDS[report.basis])


def _left_out(report: ApprovalsReport) -> str:
    """Say what was not asked for, and what it was worth."""
    count = report.left_out_count
    best = ", ".join(
        f"{one.pair} {words.usd(one.worth_usd, is_signed=True)}" for one in report.left_out
    )
    more = (
        f" and {words.count(count - len(report.left_out))} more"
        if count > len(report.left_out)
        else ""
    )
    return f"No room in an hour: {best}{more}"


def _waiting_table(report: WaitingReport) -> Table:
    return Table(
        ("7 days", "n", "asked", "came to"),
        tuple(
            (
                words.phrase(line.state.value),
                words.count(line.count),
                words.usd(line.asked_usd),
                words.usd(line.realised_usd),
            )
            for line in report.lines
        ),
    )


def render_mandates(report: MandatesReport) -> Screen:
    """Show what is granted, and what is left of it."""
    rows: list[tuple[str, str]] = []
    for use in report.open:
        rows += _use_rows(use, report.at_ns)
    empty = Text(
        "None is granted. /mandate any 500 10m lets trades of up to 500 USD in all pass for ten"
        " minutes without a word."
    )
    return Screen(
        title=f"Mandates: {len(report.open)} open" if rows else "Mandates",
        blocks=(Facts(tuple(rows)),) if rows else (empty,),
        note=words.BASIS_WORDS[report.basis],
    )


def _use_rows(use: MandateUse, at_ns: int) -> list[tuple[str, str]]:
    mandate = use.mandate
    return [
        (mandate.mandate_id, scope_words(mandate.scope)),
        ("", f"{_left(mandate.expires_at_ns - at_ns)} left, {use.plans} trades"),
        ("", f"{words.usd(use.spent_usd)} of {words.usd(mandate.total_usd_max)}"),
        ("", f"came to {words.usd(use.realised_usd, is_signed=True)}"),
    ]


def render_ask_mandate(
    scope: Scope, *, each_usd: Decimal, total_usd: Decimal, edge_bps: Decimal, lasts_s: int
) -> Screen:
    """Ask for the second step of a mandate."""
    return Screen(
        title="Grant a mandate?",
        mark=Mark.WARN,
        blocks=(
            Facts(
                (
                    ("For", scope_words(scope)),
                    ("Each", f"up to {words.usd(each_usd)}"),
                    ("In all", f"up to {words.usd(total_usd)}"),
                    ("Edge", f"from {edge_bps:f} bps"),
                    ("Lasts", words.duration(lasts_s)),
                )
            ),
            Text("Within it trades pass without a word. A kill, a failed leg or a lost venue"),
            Text("ends it, so does /revoke."),
        ),
    )


def render_mandate_ended(notice: MandateEnded, *, note: str) -> Screen:
    """Say why a mandate is over, and what was made of it."""
    use = notice.use
    return Screen(
        title=f"Mandate {use.mandate.mandate_id} is over",
        blocks=(
            Facts(
                (
                    ("For", scope_words(use.mandate.scope)),
                    ("Because", use.ended),
                    ("Trades", f"{use.plans} of {words.usd(use.spent_usd)}"),
                    ("Came to", words.usd(use.realised_usd, is_signed=True)),
                )
            ),
        ),
        note=note,
    )


def scope_words(scope: Scope) -> str:
    """Say what a mandate is for."""
    if scope.kind is ScopeKind.ANY:
        return "any trade"
    if scope.kind is ScopeKind.ROUTE:
        legs: Sequence[str] = [part.split(":", 1)[0] for part in scope.name.split(" ")]
        return " → ".join(legs)
    return f"{scope.kind.value} {scope.name}"


def _left(ns: int) -> str:
    return words.duration(max(ns, 0) / NS_PER_S)
