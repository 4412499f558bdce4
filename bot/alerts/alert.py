"""An alert: one thing that is the matter, however often it is told, from its firing to its end."""

from enum import IntEnum, StrEnum

import msgspec

from engine.bus.notices import StampedNotice


class Severity(IntEnum):
    """How an alert comes to the operator."""

    P1 = 1
    """Critical: at once, with a sound, again and again until it is acknowledged, never silenced."""
    P2 = 2
    """With a sound, once."""
    P3 = 3
    """Without a sound."""
    P4 = 4
    """In the daily digest only."""


class State(StrEnum):
    """How an alert stands."""

    FIRING = "firing"
    ACKED = "acked"
    RESOLVED = "resolved"
    SILENCED = "silenced"


class Alert(msgspec.Struct, kw_only=True):
    """One alert, as it is kept over restarts.

    Attributes:
        fingerprint: what it is about; the same thing has the same one in every run and chat.
        kind: the word by which the operator mutes its like.
        episode: how often it has fired; buttons carry it, so that one under an old message does
            nothing to a new alert.
        since_ns, last_at_ns: when it was first and last told to be so in this episode.
        count: how often it was told.
        newest: the notice that is shown.
        state: FIRING, ACKED or RESOLVED; SILENCED is worked out from the operator's terms.
        fired_at_ns: when this episode, or after an acknowledgement its repetition, began here.
        seen_at_ns: when it was last told here to be so.
        flips: when its newest episodes began, for damping.
        is_flapping: it is not over before it has been calm for a while.
        calm_at_ns: since when it would be over, but for its flapping; 0 while it is so.
        version: counts what changed visibly; `told_version` is what the message shows.
        told_state: how it stood when it was last told.
        is_told: a message tells of this episode, or a digest counts it.
        wants_message: a new message is due although there is one.
        repeats: steps of the chain that were taken.
        whole: the alert that this one tells a part of; empty if none did when it fired.
        pages_due, pages_sent: how often it is to go, and went, out by other ways than the chat.
    """

    fingerprint: str
    kind: str
    severity: Severity
    episode: int
    since_ns: int
    last_at_ns: int
    newest: StampedNotice
    fired_at_ns: int
    seen_at_ns: int
    count: int = 1
    state: State = State.FIRING
    resolved_at_ns: int = 0
    acked_at_ns: int = 0
    acked_by: str = ""
    snoozed_until_ns: int = 0
    flips: tuple[int, ...] = ()
    is_flapping: bool = False
    calm_at_ns: int = 0
    version: int = 1
    told_version: int = 0
    told_at_ns: int = 0
    told_state: State = State.FIRING
    is_told: bool = False
    is_in_storm: bool = False
    message_id: int | None = None
    wants_message: bool = False
    repeats: int = 0
    whole: str = ""
    pages_due: int = 0
    pages_sent: int = 0

    @property
    def is_critical(self) -> bool:
        """Say whether nothing may silence it."""
        return self.severity is Severity.P1

    @property
    def is_over(self) -> bool:
        """Say whether it is not so any more."""
        return self.state is State.RESOLVED

    def change(self) -> None:
        """Count a visible change."""
        self.version += 1
