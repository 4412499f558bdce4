"""What a person may want to see or do after a notice, in one tap."""

from decimal import ROUND_CEILING, Decimal

from bot.answer import Button
from engine.bus.notices import (
    ApprovalAsked,
    ApprovalEnded,
    BalanceBack,
    BalanceLow,
    DayClosed,
    IncidentEnded,
    IncidentOpened,
    LateFill,
    LeftoverClosed,
    LimitHit,
    LimitProposed,
    LooseningWaits,
    MandateEnded,
    Notice,
    OpportunitySeen,
    PaperTraded,
    PlaceSwitched,
    PlanVoided,
    ResourceShort,
    StampedNotice,
    StillThere,
    TransferProposed,
    TransferTold,
    VenueBack,
    VenueLost,
)
from engine.domain.opportunities import Reason

Row = tuple[Button, ...]

_STATUS = Button(label="Status", line="/status")
_OPPORTUNITIES = Button(label="Opportunities", line="/opportunities")
_TRADES = Button(label="Trades", line="/trades")
_FLATTEN = Button(label="Left over", line="/flatten")
_POSITIONS = Button(label="Positions", line="/positions")
_VENUES = Button(label="Venues", line="/venues")
_LIMITS = Button(label="Limits", line="/limits")
_BALANCE = Button(label="Balance", line="/balance")
_INVENTORY = Button(label="Inventory", line="/inventory live")
_TRANSFER = Button(label="Transfers", line="/transfer")
_BALANCES = Button(label="Balances", line="/balances")
_REPORTS = Button(label="Reports", line="/reports")
_APPROVALS = Button(label="Approvals", line="/approvals")
_MANDATES = Button(label="Mandates", line="/mandates")
_HEALTH = Button(label="Health", line="/health")
_PAUSE = Button(label="Pause", line="/pause")
CANCEL_DELAYED = Button(label="Cancel it", line="/cancel", is_alarming=True)
_STILL_HERE: Row = (Button(label="Still here", line="/status"), _PAUSE)
AFTER_GAP: Row = (_STATUS, Button(label="Resume…", line="/resume"))

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
        case ApprovalAsked():
            plan = notice.approval.plan
            return _buttons_of_asked(
                notice.nonce,
                notional_usd=plan.notional_usd,
                ref=plan.opportunity.opportunity_id,
            )
        case ApprovalEnded():
            row = (why_button(notice.approval.plan.opportunity.opportunity_id), _APPROVALS)
        case MandateEnded():
            row = (_MANDATES, _APPROVALS)
        case OpportunitySeen():
            row = (why_button(notice.opportunity_id), _OPPORTUNITIES)
        case PaperTraded() | LateFill() | PlanVoided():
            row = (why_button(notice.opportunity_id), _TRADES)
        case VenueLost() | VenueBack() | PlaceSwitched():
            row = _buttons_of_place(notice)
        case LimitHit() | LimitProposed() | BalanceLow() | BalanceBack() | TransferProposed():
            row = _buttons_of_amount(notice)
        case DayClosed() | LeftoverClosed() | TransferTold():
            row = _buttons_of_sums(notice)
        case StillThere() | LooseningWaits() | IncidentOpened() | IncidentEnded() | ResourceShort():
            row = _buttons_of_state(notice)
        case _:
            row = (_STATUS,)
    return (row,)


def _buttons_of_state(
    notice: StillThere | LooseningWaits | IncidentOpened | IncidentEnded | ResourceShort,
) -> Row:
    if isinstance(notice, ResourceShort):
        return (Button(label="Use", line="/resources use"), _HEALTH)
    if isinstance(notice, StillThere):
        return _STILL_HERE
    if isinstance(notice, LooseningWaits):
        return (CANCEL_DELAYED, _STATUS)
    return (Button(label="Timeline", line=f"/incident {notice.number}"), _HEALTH)


def _buttons_of_sums(notice: DayClosed | LeftoverClosed | TransferTold) -> Row:
    if isinstance(notice, TransferTold):
        return (_TRANSFER, _INVENTORY)
    if isinstance(notice, LeftoverClosed):
        return (_FLATTEN, _POSITIONS)
    return (Button(label="The day", line=f"/daily {notice.day}"), _REPORTS)


def _buttons_of_amount(
    notice: LimitHit | LimitProposed | BalanceLow | BalanceBack | TransferProposed,
) -> Row:
    if isinstance(notice, (BalanceLow, BalanceBack, TransferProposed)):
        return (_INVENTORY, _BALANCES)
    if isinstance(notice, LimitProposed):
        value = f"{notice.proposed:f}"
        return (Button(label=f"Set {value}", line=f"/limit {notice.name} {value}"), _LIMITS)
    return (_BALANCE, _LIMITS) if notice.reason is Reason.BALANCE_TOO_LOW else (_LIMITS, _PAUSE)


def _buttons_of_place(notice: VenueLost | VenueBack | PlaceSwitched) -> Row:
    if isinstance(notice, PlaceSwitched):
        return (Button(label=f"{notice.kind.value.capitalize()}s", line=f"/{notice.kind}"),)
    if isinstance(notice, VenueLost):
        return (_VENUES, Button(label="Venue off", line=f"/venue {notice.venue} off"))
    return (_VENUES,)


def _buttons_of_asked(
    nonce: str, *, notional_usd: Decimal, ref: str
) -> tuple[tuple[Button, ...], ...]:
    """Return the buttons of a plan that waits; the one that approves says how much."""
    amount = f"${notional_usd.quantize(Decimal(1), ROUND_CEILING):,}"
    return (
        (
            Button(label=f"Approve {amount}", line=f"/approve {nonce}"),
            Button(label="Reject", line=f"/reject {nonce}", is_alarming=True),
        ),
        (
            Button(label="Details", line=f"/why {ref}"),
            Button(label="Half", line=f"/half {nonce}"),
            Button(label="Snooze", line=f"/snooze {nonce}"),
        ),
        (
            Button(label="Mandate 10 min", line=f"/mandate {nonce}"),
            Button(label="Pause", line="/pause"),
        ),
    )


def buttons_of_digest(notices: list[StampedNotice]) -> tuple[Row, ...]:
    """Return the buttons of a burst."""
    seen = [s.notice for s in notices if isinstance(s.notice, OpportunitySeen)]
    if not seen:
        return ((_TRADES, _VENUES),)
    best = max(seen, key=lambda notice: notice.profit_usd)
    return ((why_button(best.opportunity_id, label="Why the best"), _OPPORTUNITIES, _TRADES),)
