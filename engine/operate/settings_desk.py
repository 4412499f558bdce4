"""Settings that were read anew: what they change now, what waits for a word, what for a start.

The values of limits are what may change while it runs. They go the way of all that a person sets:
one input that a replay takes too, one act in the audit, and a code where more is let through. All
that the files say is taken, or nothing of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from engine.bus.command import Envelope
from engine.bus.notices import Notice, SettingsOutcome, SettingsRead
from engine.bus.reports import Acknowledged, Declined
from engine.bus.settings_reports import RunningSetting, SettingsReport
from engine.decide.limit_set import Term
from engine.decide.switches import Switches
from engine.domain.errors import BadValueError
from engine.operate.clock import Clock
from engine.operate.core_parts import Core
from engine.operate.step_up import LARGE_RATIO, MONEY, Loosening, StepUp

TOLD_MAX: Final = 4
"""Changes that are named in one line of the audit."""

NOTHING: Final = "nothing waits: what the files say is in force, or counts from the next start on"


class Offered(Protocol):
    """What the supervisor sends; see `requests.settings.OfferSettings`."""

    @property
    def values(self) -> Mapping[str, Decimal]:
        """All that may change."""
        ...

    @property
    def at_next_start(self) -> tuple[str, ...]:
        """What else differs."""
        ...

    @property
    def trouble(self) -> str:
        """Why the files cannot be gone by."""
        ...


class Engine(Protocol):
    """What the desk needs of whoever answers for the engine."""

    step_up: StepUp

    @property
    def control(self) -> Switches:
        """What the operator asked of the core."""
        ...

    def now(self, text: str) -> Acknowledged:
        """Acknowledge with what is so now."""
        ...

    def tell(self, notice: Notice) -> None:
        """Tell a notice."""
        ...

    async def change(
        self, envelope: Envelope, action: str, *, settings: Mapping[str, Decimal] | None = None
    ) -> Acknowledged | Declined:
        """Go by settings, once the ledger has it."""
        ...

    async def loosen(
        self, envelope: Envelope, asked: Loosening, *, is_confirmed: bool, code: str | None
    ) -> Acknowledged | Declined:
        """Let more through, once it has all that this needs."""
        ...


@dataclass(frozen=True, slots=True)
class _Change:
    term: Term
    before: Decimal
    after: Decimal

    def __str__(self) -> str:
        return f"{self.term.name} {self.before:f} to {self.after:f} {self.term.unit}"


class SettingsDesk:
    """Answers for one engine."""

    def __init__(self, core: Core, engine: Engine, clock: Clock) -> None:
        self._core = core
        self._engine = engine
        self._clock = clock
        self._waits: dict[str, Decimal] = {}
        self._waits_since_ns = 0
        self._at_next_start: tuple[str, ...] = ()
        self._trouble = ""
        self._read_at_ns = 0
        self._since_ns: dict[str, int] = {}

    def report(self) -> SettingsReport:
        """Return what is in force, and what is not yet."""
        limits = self._core.decider.limits
        return SettingsReport(
            settings=[
                RunningSetting(
                    section=term.section,
                    name=term.name,
                    unit=term.unit,
                    value=limits[term],
                    by_settings=limits.by_settings(term),
                    since_ns=self._since_ns.get(term.name, 0),
                )
                for term in limits.terms
            ],
            waits=[str(one) for one in self._changes(self._waits)],
            at_next_start=list(self._at_next_start),
            trouble=self._trouble,
            read_at_ns=self._read_at_ns,
        )

    async def offer(self, envelope: Envelope, offered: Offered) -> Acknowledged | Declined:
        """Take what the files say, or say what it lacks; see `OfferSettings`."""
        was_trouble, was_waiting = self._trouble, self._waits
        self._read_at_ns = self._clock()
        self._trouble, self._waits = offered.trouble, {}
        changes: list[_Change] = []
        if not self._trouble:
            try:
                changes = self._changes(offered.values)
                self._trouble = self._too_much(offered.values)
            except BadValueError as error:
                self._trouble = str(error)
        if self._trouble:
            if self._trouble != was_trouble:
                self._tell(SettingsOutcome.REFUSED, [self._trouble])
            return Declined(why=self._trouble)
        self._note_at_next_start(offered.at_next_start)
        if not changes:
            return self._engine.now("what the files say is in force")
        limits = self._core.decider.limits
        if limits.looser(limits.by_operator, offered.values):
            self._waits = dict(offered.values)
            if self._waits != was_waiting:
                self._waits_since_ns = self._read_at_ns
                self._tell(SettingsOutcome.WAITS, [str(one) for one in changes])
            return Declined(why=f"{_said(changes)}: waits for /reload", needs_confirmation=True)
        done = await self._engine.change(
            envelope, f"settings: {_said(changes)}", settings=offered.values
        )
        self._took(done, changes)
        return done

    async def adopt(
        self, envelope: Envelope, *, is_confirmed: bool, code: str | None
    ) -> Acknowledged | Declined:
        """Go by what waits; see `AdoptSettings`."""
        if not self._waits:
            return self._engine.now(NOTHING)
        values, changes = self._waits, self._changes(self._waits)
        if (is_confirmed or code is not None) and envelope.at_ns < self._waits_since_ns:
            return Declined(why=f"the files say something else by now: {_said(changes)}; /reload")
        asked = self._engine.step_up.of_settings(
            f"settings: {_said(changes)}", values, _said(changes), mode=self._engine.control.mode
        )
        done = await self._engine.loosen(envelope, asked, is_confirmed=is_confirmed, code=code)
        if isinstance(done, Acknowledged):
            self._waits = {}
        self._took(done, changes)
        return done

    def _changes(self, values: Mapping[str, Decimal]) -> list[_Change]:
        limits = self._core.decider.limits
        before, after = limits.all_by_settings, limits.read_anew(values)
        return [
            _Change(limits.find(name), before[name], value)
            for name, value in after.items()
            if value != before[name]
        ]

    def _too_much(self, values: Mapping[str, Decimal]) -> str:
        """Return what grows by more than goes without a wait: that is a start's, or in steps."""
        limits = self._core.decider.limits
        for term, value in limits.looser(limits.by_operator, values):
            if term.unit == MONEY and value > LARGE_RATIO * limits[term]:
                return (
                    f"{term.name} {value:f} {term.unit} is more than {LARGE_RATIO} times"
                    f" {limits[term]:f}: go there in steps, or start anew"
                )
        return ""

    def _took(self, done: Acknowledged | Declined, changes: list[_Change]) -> None:
        if isinstance(done, Acknowledged):
            self._since_ns |= {one.term.name: self._clock() for one in changes}
            self._tell(SettingsOutcome.TAKEN, [str(one) for one in changes])

    def _note_at_next_start(self, names: tuple[str, ...]) -> None:
        if new := [name for name in names if name not in self._at_next_start]:
            self._tell(SettingsOutcome.AT_NEXT_START, new)
        self._at_next_start = names

    def _tell(self, outcome: SettingsOutcome, lines: list[str]) -> None:
        self._engine.tell(
            SettingsRead(
                at_ns=self._clock(), basis=self._core.basis, outcome=outcome, lines=tuple(lines)
            )
        )


def _said(changes: list[_Change]) -> str:
    more = len(changes) - TOLD_MAX
    told = ", ".join(str(one) for one in changes[:TOLD_MAX])
    return told if more <= 0 else f"{told} and {more} more"
