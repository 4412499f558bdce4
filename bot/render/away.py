"""What is away and back: venues, chains, parts of the program; and what was done about alerts."""

from bot.render import words
from bot.render.clean import clean
from bot.render.screen import Mark
from bot.render.troubles import WITHOUT_ROLE
from engine.bus.notices import (
    AlertAct,
    MetricAlert,
    MetricCalm,
    RoleAway,
    RoleBack,
    VenueBack,
    VenueLost,
    VenuesBack,
    VenuesLost,
)

AWAY = (
    *(VenueLost, VenueBack, VenuesLost, VenuesBack, RoleAway, RoleBack, AlertAct),
    *(MetricAlert, MetricCalm),
)

_SENTENCE_LIMIT = 300
_NAME_LIMIT = 40


def away_content(
    notice: VenueLost
    | VenueBack
    | VenuesLost
    | VenuesBack
    | RoleAway
    | RoleBack
    | AlertAct
    | MetricAlert
    | MetricCalm,
) -> tuple[Mark, str, list[str]]:
    """Return mark, title and lines of such a notice."""
    if isinstance(notice, (VenueLost, VenueBack)):
        return _venue_content(notice)
    if isinstance(notice, (VenuesLost, VenuesBack)):
        return _venues_content(notice)
    if isinstance(notice, (MetricAlert, MetricCalm)):
        return _metric_content(notice)
    if isinstance(notice, RoleAway):
        return _role_content(notice)
    if isinstance(notice, RoleBack):
        away = words.age(notice.away_ms)
        return Mark.GOOD, f"The {notice.role} answers again after {away}", []
    about = " ".join(part for part in (notice.act, notice.target) if part)
    return Mark.NONE, f"Alerts: {about}", [f"by {notice.by}"]


def _venue_content(notice: VenueLost | VenueBack) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, VenueBack):
        return Mark.GOOD, f"{notice.venue} is back after {words.age(notice.lost_ms)}", []
    what = "pools" if notice.is_chain else "books"
    why = f"{words.phrase(notice.fault)}; {notice.books} {what} left every decision."
    if not notice.books and not notice.is_chain:
        why = "It has listed nothing to trade yet; /venues says why."
    return Mark.WARN, f"{notice.venue} is out", [why]


def _venues_content(notice: VenuesLost | VenuesBack) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, VenuesBack):
        return Mark.GOOD, f"The venues are back after {words.age(notice.lost_ms)}", []
    lines = [
        f"{words.listing(notice.venues)}.",
        "More likely the way out of this machine is gone than each of them.",
    ]
    return Mark.WARN, f"{len(notice.venues)} venues are out at once", lines


def _metric_content(notice: MetricAlert | MetricCalm) -> tuple[Mark, str, list[str]]:
    """Return what others wrote, cleaned: rules and labels are no words of ours."""
    name = clean(notice.name, limit=_NAME_LIMIT)
    about = clean(notice.about, limit=_SENTENCE_LIMIT)
    if isinstance(notice, MetricCalm):
        return Mark.GOOD, f"{name} is over", [about]
    mark = Mark.BAD if notice.is_critical else Mark.WARN
    summary = clean(notice.summary, limit=_SENTENCE_LIMIT)
    return mark, name, [summary, about, clean(notice.runbook, limit=_SENTENCE_LIMIT)]


def _role_content(notice: RoleAway) -> tuple[Mark, str, list[str]]:
    why = notice.why[:_SENTENCE_LIMIT]
    without = WITHOUT_ROLE.get(notice.role, "")
    if notice.is_for_good:
        mend = f"{without} Mend this on the host, then start the program again."
        return Mark.BAD, f"The {notice.role} has ended for good", [why, mend.strip()]
    return Mark.BAD, f"The {notice.role} does not answer", [why, without]
