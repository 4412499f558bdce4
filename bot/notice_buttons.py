"""What a person may want to see or do after a notice, in one tap."""

from bot.answer import Button
from engine.bus.notices import (
    DayClosed,
    LateFill,
    LimitHit,
    LooseningWaits,
    Notice,
    OpportunitySeen,
    PaperTraded,
    PlanVoided,
    StampedNotice,
    VenueBack,
    VenueLost,
)
from engine.domain.opportunities import Reason

Row = tuple[Button, ...]

_STATUS = Button(label="Status", line="/status")
_OPPORTUNITIES = Button(label="Opportunities", line="/opportunities")
_TRADES = Button(label="Trades", line="/trades")
_VENUES = Button(label="Venues", line="/venues")
_LIMITS = Button(label="Limits", line="/limits")
_BALANCE = Button(label="Balance", line="/balance")
_REPORTS = Button(label="Reports", line="/reports")
_PAUSE = Button(label="Pause", line="/pause")
CANCEL_DELAYED = Button(label="Cancel it", line="/cancel", is_alarming=True)

AFTER_NEWS: Row = (_STATUS,)
AFTER_CONFLICT: Row = (_PAUSE,)
"""While another program uses the token, only what protects is taken."""


def why_button(ref: str, *, label: str = "Why", key: str = "") -> Button:
    """Return the button to one decision."""
    return Button(label=label, line=f"/why {ref}", key=key)


def buttons_of(notice: Notice) -> tuple[Row, ...]:
    """Return the buttons of one notice."""
    row: Row
    match notice:
        case OpportunitySeen():
            row = (why_button(notice.opportunity_id), _OPPORTUNITIES)
        case PaperTraded() | LateFill() | PlanVoided():
            row = (why_button(notice.opportunity_id), _TRADES)
        case VenueLost() | VenueBack():
            row = (_VENUES,)
        case LimitHit():
            is_balance = notice.reason is Reason.BALANCE_TOO_LOW
            row = (_BALANCE, _LIMITS) if is_balance else (_LIMITS, _PAUSE)
        case DayClosed():
            row = (Button(label="The day", line=f"/daily {notice.day}"), _REPORTS)
        case LooseningWaits():
            row = (CANCEL_DELAYED, _STATUS)
        case _:
            row = (_STATUS,)
    return (row,)


def buttons_of_digest(notices: list[StampedNotice]) -> tuple[Row, ...]:
    """Return the buttons of a burst."""
    seen = [s.notice for s in notices if isinstance(s.notice, OpportunitySeen)]
    if not seen:
        return ((_TRADES, _VENUES),)
    best = max(seen, key=lambda notice: notice.profit_usd)
    return ((why_button(best.opportunity_id, label="Why the best"), _OPPORTUNITIES, _TRADES),)
