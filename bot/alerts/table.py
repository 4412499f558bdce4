"""THE list of what notices mean as alerts: severity, kind, fingerprint, what ends and hides them.

A notice is one line here; a test fails if one has none.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from bot.alerts.alert import Severity
from engine.bus.notices import (
    REFUSED,
    AlertAct,
    ApprovalAsked,
    ApprovalEnded,
    AuditGap,
    BalanceBack,
    BalanceLow,
    ChainFileLost,
    ClockCorrected,
    DayClosed,
    FeeChanged,
    HookTrouble,
    IncidentEnded,
    IncidentOpened,
    Killed,
    KillLeft,
    LateFill,
    LeftoverClosed,
    LimitChanged,
    LimitHit,
    LimitProposed,
    LooseningCancelled,
    LooseningWaits,
    MandateEnded,
    MetricAlert,
    MetricCalm,
    ModeChanged,
    Notice,
    OpportunitySeen,
    PaperTraded,
    PlaceSwitched,
    PlanVoided,
    ProviderCaught,
    RecordingStopped,
    RecordsDropped,
    Reorganised,
    ResourceShort,
    RetentionHeld,
    RoleAway,
    RoleBack,
    RoleRestarted,
    SendingTrouble,
    SettingsOutcome,
    SettingsRead,
    Started,
    StillThere,
    TransferProposed,
    TransferTold,
    Unkilled,
    VenueBack,
    VenueLost,
    VenuesBack,
    VenuesLost,
    VenueTrouble,
    WhaleSeen,
    WorkTrouble,
)
from engine.domain.engines import MAIN
from engine.domain.orders_told import VenueMatter
from engine.domain.transfers import TransferMatter

_NAME_MAX: Final = 24
"""Of a name within an alert's: what a button carries is short."""

MINUTE_S: Final = 60
HOUR_S: Final = 3_600
ACK_S: Final = 30 * MINUTE_S
"""An acknowledged alert that is still so after this fires anew."""

INCIDENT: Final = "incident"
NETWORK: Final = "network"
"""Of several venues that are lost together: the way out is gone, not each of them."""


class Way(Enum):
    """How a notice comes to the operator."""

    ALERT = auto()
    """As an alert."""
    END = auto()
    """As the end of an alert, and as nothing else."""
    NEWS = auto()
    """As ordinary news, told in its thread; only muting and quiet hours are the alerts'."""
    ACT = auto()
    """Not at all: it is what an operator did about alerts."""


class Until(Enum):
    """What ends an alert."""

    NOTICE = auto()
    """Another notice."""
    CALM = auto()
    """That it is not told again for a while: it happened, and nothing stays so."""
    ACK = auto()
    """That somebody saw it."""
    TOLD = auto()
    """That it was told: it happened, and each time is news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the list.

    Attributes:
        kind: the operator's word for it.
        topic: what it is about, in words.
        severity: of a notice of this kind.
        fingerprint: what it is about; the same thing, the same text.
        until: what ends it.
        calm_s: how long nothing is told before it is over (`Until.CALM`).
        ends: fingerprints that it ends.
        under: fingerprints that hide it while they fire: it follows from them.
        hides: fingerprints that it hides while it fires: what it tells, they tell a part of.
        is_alone: it comes of a person's hand: no storm is made of it, and none swallows it.
        is_mutable: its kind may be muted; where it is all critical, or asks for a word, it may not.
        ack_s: how long an acknowledgement lasts while it is still so; None for as long as it is so.
    """

    notice: type[Notice]
    kind: str
    topic: str
    way: Way = Way.ALERT
    severity: Callable[[Any], Severity] = lambda _notice: Severity.P2
    fingerprint: Callable[[Any], str] = lambda _notice: ""
    until: Until = Until.CALM
    calm_s: int = 10 * MINUTE_S
    ends: Callable[[Any], tuple[str, ...]] = lambda _notice: ()
    under: Callable[[Any], tuple[str, ...]] = lambda _notice: ()
    hides: Callable[[Any], tuple[str, ...]] = lambda _notice: ()
    ack_s: int | None = ACK_S
    is_mutable: bool = True
    is_alone: bool = False


def of_engine(engine_id: str, name: str) -> str:
    """Return a name as that of one engine; the engine that every installation has is not named."""
    return name if engine_id == MAIN else f"{engine_id}/{name}"


def _always(severity: Severity) -> Callable[[Any], Severity]:
    return lambda _notice: severity


def _own(name: str) -> Callable[[Any], str]:
    return lambda notice: of_engine(notice.engine_id, name)


def _named(name: str, attribute: str) -> Callable[[Any], str]:
    return lambda notice: of_engine(notice.engine_id, f"{name}:{getattr(notice, attribute)}")


def _place(notice: BalanceLow | BalanceBack) -> str:
    return of_engine(notice.engine_id, f"low:{notice.venue}:{_word_of(notice.free.asset)}")


def _way(notice: TransferProposed) -> str:
    one = notice.transfer
    return f"move:{_word_of(f'{one.asset}:{one.source}:{one.target}')}"


_FEEDS_OF_NETWORK: Final = 2


def _parts(notice: IncidentOpened) -> tuple[str, ...]:
    """Return the alerts of the components of an incident, which belong to it."""
    names = [one.split("/", 1) for one in notice.components if "/" in one]
    alerts = {"feed": "venue", "chain": "venue", "role": "restart"}
    own = [f"{alerts[kind]}:{name}" for kind, name in names if kind in alerts]
    feeds = sum(kind == "feed" for kind, _ in names)
    return (*own, NETWORK) if feeds >= _FEEDS_OF_NETWORK else tuple(own)


_BAD_ENDS: Final = frozenset(
    {
        TransferMatter.FAILED,
        TransferMatter.UNKNOWN,
        TransferMatter.OVERDUE,
        TransferMatter.ALARM,
    }
)


def _latch(notice: Killed | Unkilled) -> str:
    return f"killed:{notice.engine}" if notice.engine else "killed"


def _dropped_severity(notice: RecordsDropped) -> Severity:
    return Severity.P1 if notice.kind == REFUSED else Severity.P3


def _dropped_parents(notice: RecordsDropped) -> tuple[str, ...]:
    return () if notice.kind == REFUSED else ("away:ledger",)


def _venue_parents(notice: VenueLost) -> tuple[str, ...]:
    """Return what a lost venue follows from: its chain, if it is a place on one."""
    place, _, chain = notice.venue.rpartition("@")
    chains = (of_engine(notice.engine_id, f"venue:{chain}"),) if place else ()
    return (*chains, of_engine(notice.engine_id, NETWORK), "away:engine")


def _limit_parents(notice: LimitHit) -> tuple[str, ...]:
    behind = ("away:ledger",) if notice.reason == "ledger_behind" else ()
    return (*behind, "killed", f"killed:{notice.engine_id}")


ROWS: Final[tuple[Row, ...]] = (
    Row(
        notice=Killed,
        kind="kill",
        is_mutable=False,
        topic="Kill latch",
        severity=_always(Severity.P1),
        fingerprint=_latch,
        until=Until.NOTICE,
        ack_s=None,  # the latch stays until a person clears it, who knows it is set
    ),
    Row(
        notice=Unkilled,
        is_alone=True,
        kind="unkill",
        topic="Kill latch cleared",
        fingerprint=lambda notice: f"unkilled:{notice.engine}" if notice.engine else "unkilled",
        until=Until.TOLD,
        ends=lambda notice: (_latch(notice), of_engine(notice.engine_id, "left")),
    ),
    Row(
        notice=RoleAway,
        kind="away",
        is_mutable=False,
        topic="A part does not answer",
        severity=_always(Severity.P1),
        fingerprint=lambda notice: f"away:{notice.role}",
        until=Until.NOTICE,
    ),
    Row(
        notice=RoleBack,
        kind="away",
        is_mutable=False,
        topic="A part answers again",
        way=Way.END,
        severity=_always(Severity.P3),
        ends=lambda notice: (f"away:{notice.role}",),
    ),
    Row(
        notice=MetricAlert,
        kind="metric",
        topic="Rules over the metrics",
        severity=lambda notice: Severity.P2 if notice.is_critical else Severity.P3,
        fingerprint=lambda notice: f"metric:{notice.fingerprint}",
        until=Until.NOTICE,
    ),
    Row(
        notice=MetricCalm,
        kind="metric",
        topic="Rules over the metrics",
        way=Way.END,
        severity=_always(Severity.P3),
        ends=lambda notice: (f"metric:{notice.fingerprint}",),
    ),
    Row(
        notice=RecordsDropped,
        kind="records",
        topic="Records not stored",
        severity=_dropped_severity,
        fingerprint=_named("records", "kind"),
        until=Until.ACK,
        under=_dropped_parents,
    ),
    Row(
        notice=RoleRestarted,
        kind="restart",
        topic="A part was started again",
        fingerprint=lambda notice: f"restart:{notice.role}",
    ),
    Row(
        notice=Started,
        kind="start",
        topic="The engine started",
        fingerprint=_own("started"),
        ends=lambda notice: (
            "away:sandbox",  # without it no engine starts
            of_engine(notice.engine_id, "recording"),
            of_engine(notice.engine_id, NETWORK),
        ),
    ),
    Row(
        notice=VenueLost,
        kind="venue",
        topic="Venues and chains",
        fingerprint=_named("venue", "venue"),
        until=Until.NOTICE,
        under=_venue_parents,
    ),
    Row(
        notice=VenueBack,
        kind="venue",
        topic="Venues and chains back",
        way=Way.END,
        severity=_always(Severity.P3),
        ends=lambda notice: (of_engine(notice.engine_id, f"venue:{notice.venue}"),),
    ),
    Row(
        notice=VenuesLost,
        kind="venue",
        topic="Several venues at once",
        fingerprint=_own(NETWORK),
        until=Until.NOTICE,
        under=lambda _notice: ("away:engine",),
    ),
    Row(
        notice=VenuesBack,
        kind="venue",
        topic="Several venues back",
        way=Way.END,
        severity=_always(Severity.P3),
        ends=lambda notice: (of_engine(notice.engine_id, NETWORK),),
    ),
    Row(
        notice=LimitHit,
        kind="limit",
        topic="Limits reached",
        fingerprint=_named("limit", "reason"),
        calm_s=2 * HOUR_S,  # a balance that ran out is told once an hour
        under=_limit_parents,
    ),
    Row(
        notice=KillLeft,
        is_alone=True,
        kind="left",
        topic="What a kill left",
        severity=lambda notice: (
            Severity.P2 if notice.is_flat and notice.outside.is_known else Severity.P1
        ),
        fingerprint=_own("left"),
        until=Until.ACK,
        is_mutable=False,
    ),
    Row(
        notice=StillThere,
        kind="silence",
        topic="No sign of life",
        fingerprint=_own("silence"),
        until=Until.TOLD,
    ),
    Row(
        notice=AuditGap,
        is_alone=True,
        kind="audit",
        topic="Audit",
        fingerprint=_own("audit"),
        until=Until.TOLD,
    ),
    Row(
        notice=LooseningWaits,
        is_alone=True,
        kind="waits",
        topic="Changes that wait",
        fingerprint=_named("waits", "due_at_ns"),
        until=Until.TOLD,
    ),
    Row(
        notice=LooseningCancelled,
        is_alone=True,
        kind="waits",
        topic="Changes that wait",
        fingerprint=_named("cancelled", "at_ns"),
        until=Until.TOLD,
    ),
    Row(
        notice=LimitChanged,
        is_alone=True,
        kind="setting",
        topic="Limits changed",
        fingerprint=_named("setting", "name"),
        until=Until.TOLD,
    ),
    Row(
        notice=SettingsRead,
        is_alone=True,
        kind="setting",
        topic="Files of settings",
        severity=lambda notice: (
            Severity.P3 if notice.outcome is SettingsOutcome.AT_NEXT_START else Severity.P2
        ),
        fingerprint=_named("settings", "outcome"),
        until=Until.TOLD,
    ),
    Row(
        notice=LimitProposed,
        kind="proposed",
        topic="Limits proposed by what was learned",
        fingerprint=_named("proposed", "name"),
        until=Until.TOLD,
    ),
    Row(
        notice=PlaceSwitched,
        is_alone=True,
        kind="setting",
        topic="Venues and pairs switched",
        fingerprint=_named("switched", "name"),
        until=Until.TOLD,
    ),
    Row(
        notice=FeeChanged,
        is_alone=True,
        kind="setting",
        topic="Fees changed",
        fingerprint=_named("fee", "venue"),
        until=Until.TOLD,
    ),
    Row(
        notice=ModeChanged,
        is_alone=True,
        kind="mode",
        topic="Mode, pause and resume",
        fingerprint=_own("mode"),
        until=Until.TOLD,
    ),
    Row(
        notice=LateFill,
        kind="late-fill",
        topic="Fills that came late",
        fingerprint=_named("late-fill", "opportunity_id"),
        until=Until.TOLD,
    ),
    Row(
        notice=LeftoverClosed,
        kind="closing",
        topic="Leftovers that were closed",
        fingerprint=_named("closing", "opportunity_id"),
        until=Until.TOLD,
    ),
    Row(
        notice=PlanVoided,
        kind="void",
        topic="Plans void at a restart",
        fingerprint=_named("void", "opportunity_id"),
        until=Until.TOLD,
    ),
    Row(
        notice=ClockCorrected,
        kind="clock",
        topic="Clock corrected",
        fingerprint=_own("clock"),
        until=Until.TOLD,
    ),
    Row(
        notice=RetentionHeld,
        kind="retention",
        topic="Old records kept",
        severity=_always(Severity.P3),
        fingerprint=_own("retention"),
        calm_s=24 * HOUR_S,
    ),
    Row(
        notice=RecordingStopped,
        kind="recording",
        topic="Recording",
        fingerprint=_own("recording"),
        until=Until.NOTICE,
    ),
    Row(
        notice=Reorganised,
        kind="reorganisation",
        topic="Deep reorganisations of chains",
        fingerprint=lambda notice: f"reorganised:{notice.chain}",
    ),
    Row(
        notice=ProviderCaught,
        kind="provider",
        topic="Providers of nodes that said what is not so",
        fingerprint=lambda notice: f"provider:{notice.chain}:{_word_of(notice.provider)}",
        calm_s=HOUR_S,
    ),
    Row(
        notice=ChainFileLost,
        kind="files",
        topic="Files of chains that could not be read",
        severity=_always(Severity.P3),
        fingerprint=lambda notice: f"file:{notice.chain}:{notice.what}",
        calm_s=HOUR_S,
    ),
    Row(
        notice=HookTrouble,
        kind="webhooks",
        topic="Webhooks that need a look",
        severity=_always(Severity.P3),
        fingerprint=lambda notice: f"webhooks:{notice.chain}",
        calm_s=HOUR_S,
    ),
    Row(
        notice=SendingTrouble,
        kind="transactions",
        topic="Transactions that need a look",
        fingerprint=lambda notice: f"sending:{notice.chain}:{notice.matter}",
        calm_s=HOUR_S,
    ),
    Row(
        notice=VenueTrouble,
        kind="orders",
        topic="Orders at venues that need a look",
        severity=lambda notice: Severity.P3 if notice.matter is VenueMatter.BACK else Severity.P2,
        fingerprint=lambda notice: f"trading:{notice.venue}:{notice.matter}",
        calm_s=HOUR_S,
    ),
    Row(
        notice=BalanceLow,
        kind="low",
        topic="Places of real money that ran low",
        fingerprint=_place,
        until=Until.NOTICE,
        ack_s=None,  # it stays so until a person brings something there
    ),
    Row(
        notice=BalanceBack,
        kind="low",
        topic="Places of real money that are enough again",
        way=Way.END,
        severity=_always(Severity.P3),
        ends=lambda notice: (_place(notice),),
    ),
    Row(
        notice=TransferProposed,
        kind="move",
        topic="Transfers that would pay",
        severity=_always(Severity.P3),
        fingerprint=_way,
        until=Until.TOLD,
    ),
    Row(
        notice=TransferTold,
        kind="transfer",
        topic="Transfers between exchanges",
        severity=lambda notice: Severity.P2 if notice.matter in _BAD_ENDS else Severity.P3,
        fingerprint=lambda notice: f"transfer:{notice.transfer_id}:{notice.number}",
        until=Until.TOLD,
    ),
    Row(
        notice=IncidentOpened,
        kind=INCIDENT,
        topic="Incidents",
        fingerprint=lambda notice: f"incident:{notice.number}",
        until=Until.NOTICE,
        hides=_parts,
    ),
    Row(
        notice=IncidentEnded,
        kind=INCIDENT,
        topic="Incidents over",
        way=Way.END,
        severity=_always(Severity.P3),
        ends=lambda notice: (f"incident:{notice.number}",),
    ),
    Row(
        notice=ResourceShort,
        kind="short",
        topic="What will be full or spent",
        fingerprint=lambda notice: f"short:{_word_of(notice.what)}",
        calm_s=26 * HOUR_S,  # it is told once a day while it is so
    ),
    Row(
        notice=WorkTrouble,
        kind="work",
        topic="Background work",
        severity=_always(Severity.P3),
        fingerprint=lambda notice: f"work:{_word_of(notice.task) or 'all'}",
        calm_s=HOUR_S,
    ),
    Row(notice=OpportunitySeen, kind="opportunity", topic="Opportunities", way=Way.NEWS),
    Row(notice=WhaleSeen, kind="whale", topic="Large trades on chains", way=Way.NEWS),
    Row(notice=DayClosed, kind="daily", topic="Daily reports", way=Way.NEWS),
    Row(notice=ApprovalAsked, kind="approval", topic="Approvals", way=Way.NEWS, is_mutable=False),
    Row(notice=ApprovalEnded, kind="approval", topic="Approvals", way=Way.NEWS, is_mutable=False),
    Row(notice=MandateEnded, kind="mandate", topic="Mandates", way=Way.NEWS, is_mutable=False),
    Row(notice=PaperTraded, kind="trade", topic="Trades", way=Way.NEWS),
    Row(notice=AlertAct, kind="act", topic="What was done about alerts", way=Way.ACT),
)

_BY_NOTICE: Final = {row.notice: row for row in ROWS}


def _word_of(name: str) -> str:
    """Return a name as one word of a command; its end tells it from others."""
    return name.replace(" ", "-")[-_NAME_MAX:]


def row_of(notice: Notice) -> Row:
    """Return the line of a notice."""
    return _BY_NOTICE[type(notice)]


def kinds() -> tuple[str, ...]:
    """Return the kinds that can be muted, in their order."""
    shown = (row.kind for row in ROWS if row.is_mutable and row.way is not Way.ACT)
    return tuple(dict.fromkeys(shown))
