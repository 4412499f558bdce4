"""What the ledger says of discoveries: what became of new ones, and those that are kept."""

from collections import Counter
from enum import StrEnum

import msgspec

from engine.bus.reports import Report
from engine.domain.discoveries import Discovery, Effect, Learned
from engine.domain.modes import Basis


class Became(StrEnum):
    """What became of a discovery that was to be kept."""

    NEW = "new"
    REPLACED = "replaced"
    """It took the place of an earlier one of its kind and subject, which stays as history."""
    AGAIN = "again"
    """The same was known: it holds longer now."""
    REFUSED = "refused"
    LEFT_OUT = "left out"
    """More in force are worth more than may be."""
    OVER = "over"
    """It had expired before it was kept, or the same was found to have no effect."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one.

    Attributes:
        seq: its number for good; 0 if it is not kept.
        why: of a refusal.
    """

    became: Became
    seq: int = 0
    why: str = ""


class DiscoveriesKept(Report, frozen=True, kw_only=True):
    """What became of each of them, in their order.

    Attributes:
        left_out: how many more there were than one run may have.
    """

    verdicts: list[Kept]
    left_out: int = 0


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """An engine took the advice of a discovery as a numbered input of its run.

    Attributes:
        changed: what was otherwise because of it, such as a bid; empty if nothing was yet.
    """

    run_id: str
    input_seq: int
    at_ns: int
    changed: str = ""


class DiscoveryLine(msgspec.Struct, frozen=True, kw_only=True):
    """A discovery as it is kept.

    Attributes:
        seq: its number for good.
        found_at_ns: of what its run was given.
        seen_at_ns, seen_count: when it was found last, and how many times.
        expires_at_ns: up to when it holds.
        ended_at_ns: when it ended before that, 0 if it did not; `ended` says why.
        use: the newest input that its advice became.
        uses_count: inputs that it became.
        effect: as it was measured last.
        likeness: to what was looked for, from 0 to 1; 0 if nothing alike was.
    """

    seq: int
    basis: Basis
    task: str
    agent: str
    task_run: str
    discovery: Discovery
    found_at_ns: int
    seen_at_ns: int
    seen_count: int
    expires_at_ns: int
    ended_at_ns: int = 0
    ended: str = ""
    use: Use | None = None
    uses_count: int = 0
    effect: Effect | None = None
    likeness: float = 0.0


class DiscoveriesReport(Report, frozen=True, kw_only=True):
    """Discoveries that were asked for.

    Attributes:
        left_out: how many more there are.
        in_force: how many are in force in all.
    """

    at_ns: int
    basis: Basis
    lines: list[DiscoveryLine]
    left_out: int
    in_force: int


class FigurePoint(msgspec.Struct, frozen=True, kw_only=True):
    """Figures of a kind and subject from one instant on."""

    at_ns: int
    figures: dict[str, float]
    score: float


class DiscoveryReport(Report, frozen=True, kw_only=True):
    """One discovery with its history.

    Attributes:
        points: figures of its kind and subject, oldest first; the newest of them where there are
            many.
    """

    at_ns: int
    line: DiscoveryLine
    points: list[FigurePoint]


class KindCount(msgspec.Struct, frozen=True, kw_only=True):
    """What came of discoveries of one kind in a time.

    Attributes:
        kept: stored anew.
        used: of these, how many an engine took as advice.
        changed: of these, because of how many something was otherwise.
        changed_subjects: of how many different subjects those are; a figure that is told anew
            counts once.
        effects: of these, how many were found to earn, to cost, or to have no effect.
        gain_usd_hour: profit an hour that those which earn were measured to bring.
    """

    kind: str
    kept: int = 0
    again: int = 0
    used: int = 0
    changed: int = 0
    changed_subjects: int = 0
    effects: dict[str, int] = {}
    gain_usd_hour: float = 0.0


class DiscoveryCounts(Report, frozen=True, kw_only=True):
    """What was learned in a time.

    Attributes:
        in_force: how many are in force now.
        refused: of all time, by reason.
        left_out, pruned: of all time: not kept since others are worth more; deleted as history.
    """

    since_ns: int
    kinds: list[KindCount]
    in_force: int
    refused: dict[str, int]
    left_out: int
    pruned: int

    def learned(self) -> Learned:
        """Return it summed up over all kinds."""
        effects: Counter[str] = Counter()
        for kind in self.kinds:
            effects.update(kind.effects)
        return Learned(
            kinds={kind.kind: kind.kept for kind in self.kinds},
            used=sum(kind.used for kind in self.kinds),
            changed=sum(kind.changed for kind in self.kinds),
            effects=dict(effects),
            gain_usd_hour=sum(kind.gain_usd_hour for kind in self.kinds),
        )


class EffectKept(Report, frozen=True, kw_only=True):
    """An effect is stored.

    Attributes:
        ended: the discovery is in force no more because of it.
    """

    ended: bool
