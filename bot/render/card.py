"""The live card: one pinned message that says how things stand, and until when that counts."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from bot.answer import Button
from bot.menus import Rows, acts
from bot.render import words
from bot.render.overview import state_of
from bot.render.safety import KILLED_TITLE
from bot.render.screen import Facts, Mark, Screen, Text
from engine.bus.life import ExposureReport
from engine.bus.permit_reports import ApprovalsReport, MandatesReport
from engine.bus.reports import LimitLine, LimitsReport, StatusReport
from engine.domain.modes import SENT

_READS = (
    Button(label="Opportunities", line="/opportunities"),
    Button(label="Profit", line="/pnl"),
)
_OUT_SHOWN_MAX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """What a card is made of; None of what did not answer, or does not matter in this mode."""

    status: StatusReport | None = None
    limits: LimitsReport | None = None
    exposure: ExposureReport | None = None
    approvals: ApprovalsReport | None = None
    mandates: MandatesReport | None = None
    trouble: str = ""


def render_card(facts: CardFacts) -> Screen:
    """Show the card without until when it counts, which alone would make each new."""
    status = facts.status
    if status is None:
        return Screen(
            title="No answer from the engine",
            mark=Mark.BAD,
            blocks=(Text(facts.trouble), Text("KILL works all the same.")),
        )
    mark, state = state_of(status)
    rows = [
        ("Today", _today(status, facts.exposure)),
        ("Open", _open(facts.exposure)),
        *_permits(facts),
        ("Feeds", _feeds(status)),
    ]
    worst = None if facts.limits is None else worst_limit(facts.limits)
    if worst is not None:
        line, ratio = worst
        rows.append(("Limit", f"{words.phrase(line.name)} {100 * ratio:.0f}% used"))
    title = f"{status.mode.value.capitalize()}: {state}"
    return Screen(
        title=KILLED_TITLE if status.is_killed else title,
        mark=mark,
        blocks=(Facts(tuple(rows)),),
        note=words.BASIS_SHORT[status.basis] + ("" if status.basis in SENT else ", paper money"),
    )


def card_buttons(facts: CardFacts) -> Rows:
    """Return the buttons of a card, as they fit what is so now."""
    status = facts.status
    if status is None:
        return ((Button(label="KILL", line="/kill", is_alarming=True),),)
    own = acts(is_killed=status.is_killed, is_paused=status.is_paused, mode=status.mode)
    waiting = 0 if facts.approvals is None else len(facts.approvals.waiting)
    asked = Button(label=f"Approvals ({waiting})", line="/approvals")
    return (own, *(((asked,),) if waiting else ()), _READS)


def worst_limit(report: LimitsReport) -> tuple[LimitLine, Decimal] | None:
    """Return the limit of which most is used, and how much of it; None if none is used at all."""
    used = [(line, ratio) for line in report.limits if (ratio := _ratio(line)) is not None]
    return max(used, key=lambda one: one[1], default=None)


def _ratio(line: LimitLine) -> Decimal | None:
    """Return what part of a limit is used, None if it is none of which a part can be used."""
    if line.name not in {"position", "daily_loss", "order_rate"}:
        return None
    try:
        used, limit = Decimal(line.used), Decimal(line.limit)
    except InvalidOperation:
        return None
    return used / limit if limit > 0 else None


def _open(exposure: ExposureReport | None) -> str:
    """Say what is open; in whole dollars, for cents would make each look new."""
    if exposure is None:
        return "no answer"
    plans = f"{words.count(exposure.plans)} plans ${exposure.plans_usd:,.0f}"
    return f"{plans}, left over ${exposure.positions_usd:,.0f}"


def _permits(facts: CardFacts) -> list[tuple[str, str]]:
    """Say what waits for a person's word, and what of the mandates is left."""
    rows = []
    if facts.approvals is not None:
        rows.append(("Approvals", f"{words.count(len(facts.approvals.waiting))} wait"))
    if facts.mandates is not None and facts.mandates.open:
        uses = facts.mandates.open
        left = sum((use.left_usd for use in uses), Decimal(0))
        total = sum((use.mandate.total_usd_max for use in uses), Decimal(0))
        rows.append(("Mandates", f"{len(uses)}, ${left:,.0f} of ${total:,.0f} left"))
    return rows


def _today(status: StatusReport, exposure: ExposureReport | None) -> str:
    """Say what the UTC day came to so far, as the engine counts it for its loss limit."""
    if exposure is None:
        return "no answer"
    came = words.usd(exposure.live_today_usd, is_signed=True)
    today = words.usd(exposure.today_usd, is_signed=True)
    if status.basis in SENT:
        return f"{came} live, {_trades(status.traded_live)}; {today} paper"
    live = f"; live {came}" if status.traded_live or exposure.live_today_usd else ""
    return f"{today}, {_trades(status.traded)} this run{live}"


def _trades(count: int) -> str:
    return "1 trade" if count == 1 else f"{words.count(count)} trades"


def _feeds(status: StatusReport) -> str:
    books = [venue for venue in status.venues if not venue.is_chain]
    live = sum(venue.books_live for venue in books)
    out = [venue.venue for venue in status.venues if not venue.is_connected]
    names = ", ".join(out[:_OUT_SHOWN_MAX]) + (" …" if len(out) > _OUT_SHOWN_MAX else "")
    return f"{live}/{sum(v.books for v in books)} live" + (f", out: {names}" if out else "")
