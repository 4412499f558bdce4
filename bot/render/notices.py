"""Notices as screens, and bursts of them as one."""

from collections import Counter
from typing import Final

from bot.render import words
from bot.render.acts import ACTS, act_content
from bot.render.approvals import (
    render_asked,
    render_ended,
    render_mandate_ended,
    render_realised,
)
from bot.render.away import AWAY, away_content
from bot.render.chain_notices import CHAIN_NOTICES, chain_content
from bot.render.config import settings_content
from bot.render.discoveries import learned_words
from bot.render.health import HEALTH_NOTICES, health_content
from bot.render.place_notices import PLACE_NOTICES, place_content
from bot.render.reports import Came, came_lines, live_facts
from bot.render.safety import KILLED_TITLE
from bot.render.screen import Facts, Mark, Screen, Text
from bot.render.stories import main_cause
from bot.render.whales import whale_content
from engine.bus.notices import (
    REFUSED,
    ApprovalAsked,
    ApprovalEnded,
    ClockCorrected,
    DayClosed,
    FeeChanged,
    Killed,
    LateFill,
    LeftoverClosed,
    LimitChanged,
    LimitHit,
    LimitProposed,
    MandateEnded,
    ModeChanged,
    Notice,
    OpportunitySeen,
    PaperTraded,
    PlaceSwitched,
    PlanVoided,
    RecordingStopped,
    RecordsDropped,
    RetentionHeld,
    RoleRestarted,
    SettingsRead,
    StampedNotice,
    Started,
    Unkilled,
    VenueBack,
    VenueLost,
    WhaleSeen,
)
from engine.domain.modes import SENT, Basis
from engine.domain.performance import Sums
from engine.domain.units import NS_PER_MS, NS_PER_S

_STEP_NS: Final = 1_000_000_000
"""Less than this is a clock's ordinary adjustment, not worth a word."""

_KIND_WORDS: dict[type[Notice], str] = {
    OpportunitySeen: "Opportunities",
    PaperTraded: "Paper trades",
    ApprovalEnded: "Asked, and ended",
    WhaleSeen: "Large trades",
    VenueLost: "Venue lost",
    VenueBack: "Venue back",
    ClockCorrected: "Clock corrected",
    LimitHit: "Limit hit",
    LimitChanged: "Limit changed",
    LimitProposed: "Limit proposed",
    PlaceSwitched: "Switched on or off",
    FeeChanged: "Fee changed",
}


_STATES: Final = (*(Killed, Unkilled, ModeChanged, Started),)
_CHANGES: Final = (*(LimitChanged, LimitProposed, PlaceSwitched, FeeChanged, SettingsRead),)


def render_notice(stamped: StampedNotice) -> Screen:
    """Show one notice with its number, time and basis."""
    notice = stamped.notice
    note = words.clock_zone(notice.at_ns)
    if stamped.seq:  # what a chat found out by itself has no number, and is of no market
        note = f"#{stamped.seq} {note}, {_whence(notice)}"
    screen = _permit_screen(notice, note)
    if screen is not None:
        return screen
    mark, title, lines = _content(notice)
    return Screen(
        title=title, mark=mark, blocks=tuple(Text(line) for line in lines if line), note=note
    )


def _permit_screen(notice: Notice, note: str) -> Screen | None:
    """Show what a person is asked, or granted; None for any other notice."""
    if isinstance(notice, ApprovalAsked):
        return render_asked(notice, note=note)
    if isinstance(notice, ApprovalEnded):
        return render_ended(notice, note=note)
    if isinstance(notice, MandateEnded):
        return render_mandate_ended(notice, note=note)
    if isinstance(notice, PaperTraded) and notice.approval is not None:
        return render_realised(notice, notice.approval, note=note)
    return None


def render_digest(notices: list[StampedNotice]) -> Screen:
    """Show a burst of notices as one screen: how many of each kind, and the best of them."""
    counted: Counter[type[Notice]] = Counter()
    for stamped in notices:
        counted[type(stamped.notice)] += _count_of(stamped.notice)
    rows = tuple(
        (_KIND_WORDS.get(kind, kind.__name__), words.count(number))
        for kind, number in counted.most_common()
    )
    seen = [s.notice for s in notices if isinstance(s.notice, OpportunitySeen)]
    traded = [s.notice for s in notices if isinstance(s.notice, PaperTraded)]
    blocks: list[Facts | Text] = [Facts(rows)]
    if seen:
        best = max(seen, key=lambda notice: notice.profit_usd)
        blocks.append(
            Text(
                f"Best: {words.route(best.pair, best.buy_venue, best.sell_venue, best.assets)}"
                f" {words.usd(best.profit_usd, is_signed=True)} ({best.opportunity_id})"
            )
        )
    if traded:
        total = sum((notice.profit_usd for notice in traded), start=traded[0].profit_usd * 0)
        blocks.append(Text(f"Paper trades came to {words.usd(total, is_signed=True)}"))
    bases = sorted({_whence(stamped.notice) for stamped in notices})
    return Screen(
        title=f"{len(notices)} notices",
        blocks=tuple(blocks),
        note=f"#{notices[0].seq} to #{notices[-1].seq}, {'; '.join(bases)}",
    )


def _whence(notice: Notice) -> str:
    """Say whose it is, of which market, and of which money."""
    paper = "" if notice.basis in SENT else ", paper"
    return f"{words.of_engine(notice.engine_id)}{words.BASIS_SHORT[notice.basis]}{paper}"


def _count_of(notice: Notice) -> int:
    return 1 + notice.others if isinstance(notice, OpportunitySeen) else 1


def _content(notice: Notice) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, (*_STATES, *_CHANGES)):
        return _state_content(notice) if isinstance(notice, _STATES) else _change_content(notice)
    if isinstance(notice, (*ACTS, *AWAY, *HEALTH_NOTICES)):
        return _standing_content(notice)
    if isinstance(notice, (OpportunitySeen, WhaleSeen)):
        return whale_content(notice) if isinstance(notice, WhaleSeen) else _seen_content(notice)
    if isinstance(notice, (ClockCorrected, *PLACE_NOTICES)):
        return (
            _clock_content(notice) if isinstance(notice, ClockCorrected) else place_content(notice)
        )
    if isinstance(notice, (PaperTraded, LateFill, LeftoverClosed, PlanVoided, DayClosed)):
        return _plan_content(notice)
    assert not isinstance(notice, (ApprovalAsked, ApprovalEnded, MandateEnded))
    return chain_content(notice) if isinstance(notice, CHAIN_NOTICES) else _trouble_content(notice)


def _standing_content(notice: Notice) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, HEALTH_NOTICES):
        return health_content(notice)
    if isinstance(notice, ACTS):
        return act_content(notice)
    assert isinstance(notice, AWAY)
    return away_content(notice)


def _seen_content(notice: OpportunitySeen) -> tuple[Mark, str, list[str]]:
    title = (
        f"Opportunity {words.usd(notice.profit_usd, is_signed=True)}"
        f" {words.percent(notice.net_edge_bps)}"
    )
    return (
        Mark.NONE,
        title,
        [
            words.route(notice.pair, notice.buy_venue, notice.sell_venue, notice.assets),
            f"{words.phrase(notice.outcome)} ({notice.opportunity_id})",
            f"the best of {words.count(1 + notice.others)}" if notice.others else "",
        ],
    )


def _day_content(notice: DayClosed) -> tuple[Mark, str, list[str]]:
    came = Came(
        sums=notice.sums,
        drawdown=notice.drawdown,
        best=notice.best,
        worst=notice.worst,
        missed=notice.missed,
        notices=notice.notices,
        books="ledger = fills ✔" if not notice.differences else f"✖ Δ {notice.differences}",
        is_alike=not notice.differences,
    )
    mark = Mark.BAD if notice.differences else Mark.NONE
    title = f"Day {notice.day}: {words.usd(notice.sums.realised, is_signed=True)}"
    learned = [] if notice.learned is None else [f"learned {learned_words(notice.learned)}"]
    live = live_facts(notice.live or Sums(), notice.live_upkeep_usd)
    sent = [f"live {told}" for _, told in live]
    return mark, title, [*came_lines(came), *sent, *learned]


def _clock_content(notice: ClockCorrected) -> tuple[Mark, str, list[str]]:
    asleep = f"This machine slept for {words.age(notice.asleep_ns // NS_PER_MS)}"
    lines = ["All books were dropped and are asked for anew; what was open has been closed."]
    if abs(notice.step_ns) < _STEP_NS:
        return Mark.WARN, asleep, lines
    where = "ahead" if notice.step_ns > 0 else "back"
    if notice.asleep_ns >= _STEP_NS:
        lines.insert(0, f"{asleep}.")
    lines.append("What was stored before is dated by the old time.")
    step = words.age(abs(notice.step_ns) // NS_PER_MS)
    return Mark.WARN, f"The clock was set {where} by {step}", lines


def _trouble_content(
    notice: LimitHit | RoleRestarted | RecordsDropped | RetentionHeld | RecordingStopped,
) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, LimitHit):
        return Mark.WARN, f"Limit: {words.phrase(notice.reason)}", [notice.detail]
    if isinstance(notice, RetentionHeld):
        ahead = words.duration(notice.ahead_ns / NS_PER_S)
        return (
            Mark.WARN,
            "Old news is kept: the clock may be wrong",
            [
                f"It is {ahead} ahead of what was stored before.",
                "Nothing is deleted by its age until it has run on for a day.",
                "Look at the clock of its machine by then.",
            ],
        )
    if isinstance(notice, RoleRestarted):
        return (
            Mark.WARN,
            f"{notice.role} was started again",
            [notice.why, f"Restarts so far: {notice.restarts}"],
        )
    if isinstance(notice, RecordingStopped):
        lines = [notice.why, "Trading goes on; this run cannot be replayed beyond this."]
        return Mark.WARN, "The recording stopped", lines
    if notice.kind == REFUSED:
        return (
            Mark.BAD,
            f"NOT STORED: the ledger refused {words.count(notice.count)} records",
            [
                "Money may be among them: /pnl, /trades and exports lack it after a restart.",
                "The engine's log has each of them whole.",
            ],
        )
    return (
        Mark.WARN,
        f"{words.count(notice.count)} records of {words.phrase(notice.kind)} were dropped",
        ["The ledger was away for too long. No money record is among them."],
    )


def _change_content(
    notice: LimitChanged | LimitProposed | PlaceSwitched | FeeChanged | SettingsRead,
) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, SettingsRead):
        return settings_content(notice)
    if isinstance(notice, LimitProposed):
        title = f"Proposed: {notice.name} {notice.proposed:f} {notice.unit}"
        return Mark.NONE, title, [notice.why, f"now {notice.now:f} {notice.unit}; it stays so."]
    by = f"by {notice.by}"
    if isinstance(notice, LimitChanged):
        title = f"Limit {notice.name}: {notice.after:f} {notice.unit}"
        return Mark.NONE, title, [f"before {notice.before:f} {notice.unit}", by]
    if isinstance(notice, FeeChanged):
        title = f"Taker fee of {notice.venue}: {notice.after:f} bps"
        return Mark.NONE, title, [f"before {notice.before:f} bps", by]
    title = f"{notice.kind.value.capitalize()} {notice.name} is {'on' if notice.is_on else 'off'}"
    return Mark.WARN if notice.is_on else Mark.NONE, title, [by]


def _state_content(
    notice: Killed | Unkilled | ModeChanged | Started,
) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, Killed):
        title = f"KILLED: engine {notice.engine} makes no plans" if notice.engine else KILLED_TITLE
        return Mark.BAD, title, [f"by {notice.by}", notice.why]
    if isinstance(notice, Unkilled):
        whose = f" of engine {notice.engine}" if notice.engine else ""
        return Mark.WARN, f"The kill latch{whose} is cleared", [f"by {notice.by}"]
    is_start = isinstance(notice, Started)
    lines = [f"run {notice.run_id}"] if isinstance(notice, Started) else [f"by {notice.by}"]
    what = f"{'Started in mode' if is_start else 'Mode'} {notice.mode.value}"
    if notice.is_killed:
        return Mark.BAD, KILLED_TITLE, [f"{what}, held by the kill latch.", *lines]
    state = "paused" if notice.is_paused else "running"
    return Mark.GOOD if is_start else Mark.NONE, f"{what}, {state}", lines


def _plan_content(
    notice: PaperTraded | LateFill | LeftoverClosed | PlanVoided | DayClosed,
) -> tuple[Mark, str, list[str]]:
    if isinstance(notice, PaperTraded):
        return _traded_content(notice)
    if isinstance(notice, DayClosed):
        return _day_content(notice)
    if isinstance(notice, LeftoverClosed):
        return _closed_content(notice)
    if isinstance(notice, PlanVoided):
        what = f"{notice.pair} was under way when the engine ended; nothing was filled"
        return Mark.WARN, f"Plan {notice.why}", [f"{what} ({notice.opportunity_id})"]
    what = f"{notice.fills} fills" if notice.fills else "A transaction"
    changed = words.usd(notice.profit_usd, is_signed=True)
    lines = [
        f"{what} of {notice.pair} told after the trade had ended: booked, {changed}",
        f"Look at the venue and at /why {notice.opportunity_id}",
    ]
    if notice.left_over:
        lines.append(words.left_over(notice.left_over))
    return Mark.WARN, "A fill came late", lines


def _closed_content(notice: LeftoverClosed) -> tuple[Mark, str, list[str]]:
    held, closed = notice.held, notice.closed
    money = _money(notice.basis)
    what = f"{notice.venue}: {words.size(closed)} of {words.size(held.value)} {held.asset}"
    shown = f"shown before: {words.usd(notice.expected_usd, is_signed=True)}"
    lines = [what, f"{shown} ({notice.opportunity_id})"]
    if not closed:
        return Mark.WARN, f"Nothing was closed, {money}", [*lines, "Ask again: /flatten"]
    mark = Mark.GOOD if closed == held.value else Mark.WARN
    came = words.usd(notice.realised_usd, is_signed=True)
    return mark, f"Leftover closed, {money} {came}", lines


def _money(basis: Basis) -> str:
    return words.BASIS_SHORT[basis] if basis in SENT else "paper"


def _traded_content(notice: PaperTraded) -> tuple[Mark, str, list[str]]:
    story = notice.story
    found = "" if story is None else f"found {words.usd(story.found.usd, is_signed=True)}, "
    planned = f"planned {words.usd(notice.expected_usd, is_signed=True)}"
    is_sent = notice.basis in SENT
    cause = None if story is None else main_cause(story)
    lines = [
        (
            f"{words.route(notice.pair, notice.buy_venue, notice.sell_venue, notice.assets)}"
            f" {words.size(notice.size_base)}"
        ),
        f"{found}{planned}{'' if cause is None else f', {cause}'} ({notice.opportunity_id})",
    ]
    if notice.left_over:
        lines.append(words.left_over(notice.left_over))
    if notice.why_reverted:
        lines[1] = f"{notice.why_reverted}; {planned} ({notice.opportunity_id})"
        gas = words.usd(notice.profit_usd, is_signed=True)
        what = f"Transaction, {_money(notice.basis)}," if is_sent else "Paper transaction"
        return Mark.WARN, f"{what} reverted {gas}", lines
    mark = Mark.GOOD if notice.profit_usd >= 0 else Mark.WARN
    what = f"Trade, {_money(notice.basis)}," if is_sent else "Paper trade"
    return mark, f"{what} {words.usd(notice.profit_usd, is_signed=True)}", lines
