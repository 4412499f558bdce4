"""The engine's side of the bus: carries out commands and answers with what is so afterwards."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from engine.bus.command import Envelope
from engine.bus.lease import Lease
from engine.bus.notices import LimitChanged, ModeChanged, Notice
from engine.bus.records import Outcome, StateRecord
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import Reply, Request
from engine.core.inputs.inventory_reset import InventoryReset
from engine.core.inputs.limits_set import LimitsSet
from engine.core.inputs.switched import ControlState
from engine.decide.switches import Switches
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis, Mode, is_upward
from engine.operate.clock import Clock
from engine.operate.core_parts import Core
from engine.operate.engine_reports import EngineReports, Sights
from engine.operate.kill_latch import EngineLatches
from engine.operate.kill_switch import STORED_WITHIN_S
from engine.operate.kill_switches import KillSwitches
from engine.operate.once import Once
from engine.operate.outbox import Outbox

AWAY: Final = "the ledger is away"


class EngineAnswers:
    """Obeys `bus.request.Answerer`; how a request is answered stands with it, in `requests`.

    A change is acknowledged only once the ledger has it. Tightening acts before that; loosening
    acts after it, so that no crash can leave the engine looser than its record.
    """

    def __init__(
        self,
        core: Core,
        sights: Sights,
        *,
        latches: EngineLatches,
        kill_switches: KillSwitches,
        outbox: Outbox,
        clock: Clock,
        lease: Lease,
        once: Once,
    ) -> None:
        self.core = core
        self.reports = EngineReports(core, sights)
        self.latches = latches
        self.kill_switches = kill_switches
        self.clock = clock
        self.once = once
        self._outbox = outbox
        self._lease = lease
        self._changes = 0

    @property
    def control(self) -> Switches:
        """What the operator asked of the core."""
        return self.core.control

    async def answer(self, request: Request[Reply], /) -> Reply:
        """Answer a request; see `Answerer.answer`."""
        if not request.is_for_any:
            self._lease.check()
        return await request.answer(self)

    async def reset_balance(self, envelope: Envelope) -> Acknowledged | Declined:
        """Set the paper inventory back to its capital."""
        self.core.hot_path.command(InventoryReset(), self.clock())
        # Its deposits are on their way to the ledger: once this record is stored, they are.
        waiting = self.core.inventory.waiting
        later = f"; {waiting} follow once they have a price" if waiting else ""
        done = self.now(f"every place holds its capital again{later}")
        self._changes += 1
        record = self._state_record(
            self._set,
            envelope,
            "balance reset",
            number=self._changes,
            outcome=self.once.outcome(envelope, done),
        )
        try:
            await self._outbox.put_durably(record, timeout_s=STORED_WITHIN_S)
        except BadValueError as error:
            return Declined(why=_unstored(str(error), is_looser=False))
        return done

    async def change(
        self,
        envelope: Envelope,
        action: str,
        *,
        mode: Mode | None = None,
        is_paused: bool | None = None,
        limits: Mapping[str, Decimal] | None = None,
    ) -> Acknowledged | Declined:
        """Set mode, pause or limits; a loosening that something overtook is declined."""
        before, in_force = self._set, self.core.decider.limits.in_force()
        wanted = _Set(
            mode=before.mode if mode is None else mode,
            is_paused=before.is_paused if is_paused is None else is_paused,
            limits=before.limits if limits is None else limits,
        )
        is_looser = (
            is_upward(current=before.mode, wanted=wanted.mode)
            or (before.is_paused and not wanted.is_paused)
            or self.core.decider.limits.is_looser(wanted.limits)
        )
        if not is_looser:
            self.kill_switches.tightened()
            self._apply(wanted)
        self._changes += 1
        number = self._changes
        at_ns = self.clock()
        paused = "paused, no plans are made" if wanted.is_paused else "not paused"
        done = Acknowledged(
            text=f"mode {wanted.mode}, {paused}" if limits is None else action,
            is_killed=self.latches.is_killed(),
            is_paused=wanted.is_paused,
            mode=wanted.mode,
        )
        record = self._state_record(
            wanted, envelope, action, number=number, outcome=self.once.outcome(envelope, done)
        )
        try:
            await self._outbox.put_durably(record, timeout_s=STORED_WITHIN_S)
        except (TransientError, asyncio.CancelledError) as error:
            if not is_looser:
                raise
            # The record is still on its way: take it back behind itself, so that no restart
            # makes the engine looser than the operator was told.
            self._changes += 1
            undo = f"{action}: taken back"
            self._outbox.put(self._state_record(self._set, envelope, undo, number=self._changes))
            self.once.took_back(envelope, f"{AWAY}: nothing was changed")
            if isinstance(error, asyncio.CancelledError):
                raise
            raise TransientError(f"{AWAY}: nothing was changed; ask again") from error
        except BadValueError as error:
            return Declined(why=_unstored(str(error), is_looser=is_looser))
        if is_looser:
            if number != self._changes:
                # Somebody tightened while this waited for the ledger; the later word counts.
                return self.once.took_back(
                    envelope, "another change came in meanwhile; look at /status, ask again"
                )
            self._apply(wanted)
        self._tell_limits(in_force, envelope.by, at_ns)
        if limits is None:
            self._tell(
                ModeChanged(
                    at_ns=at_ns,
                    basis=self._basis,
                    mode=wanted.mode,
                    is_paused=wanted.is_paused,
                    is_killed=self.latches.is_killed(),
                    by=envelope.by,
                )
            )
        return done

    def _state_record(
        self,
        state: "_Set",
        envelope: Envelope,
        action: str,
        *,
        number: int,
        outcome: Outcome | None = None,
    ) -> StateRecord:
        return StateRecord(
            record_id=f"{self.core.header.run_id}-s{number}",
            at_ns=self.clock(),
            mode=state.mode,
            is_paused=state.is_paused,
            limits=dict(state.limits),
            by=envelope.by,
            action=action,
            outcome=outcome,
        )

    @property
    def _set(self) -> "_Set":
        """All that the operator has set, as it is now."""
        limits = self.core.decider.limits.by_operator
        return _Set(mode=self.control.mode, is_paused=self.control.is_paused, limits=limits)

    def _apply(self, wanted: "_Set") -> None:
        before, at_ns = self._set, self.clock()
        if wanted.limits != before.limits:
            self.core.hot_path.command(LimitsSet(limits=dict(wanted.limits)), at_ns)
        if (wanted.mode, wanted.is_paused) != (before.mode, before.is_paused):
            state = ControlState(mode=wanted.mode, is_paused=wanted.is_paused)
            self.core.hot_path.command(state, at_ns)

    def _tell_limits(self, before: Mapping[str, Decimal], by: str, at_ns: int) -> None:
        limits = self.core.decider.limits
        for term in limits.terms:
            if limits[term] != before[term.name]:
                changed = LimitChanged(
                    at_ns=at_ns,
                    basis=self._basis,
                    name=term.name,
                    unit=term.unit,
                    before=before[term.name],
                    after=limits[term],
                    by=by,
                )
                self._tell(changed)

    def _tell(self, notice: Notice) -> None:
        self.core.journal.notices.tell(notice)

    @property
    def _basis(self) -> Basis:
        return self.core.header.basis

    def now(self, text: str) -> Acknowledged:
        """Acknowledge with what is so now."""
        return Acknowledged(
            text=text,
            is_killed=self.latches.is_killed(),
            is_paused=self.control.is_paused,
            mode=self.control.mode,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """What the operator has set: stored as a whole, so that the newest record is all of it."""

    mode: Mode
    is_paused: bool
    limits: Mapping[str, Decimal]


def _unstored(why: str, *, is_looser: bool) -> str:
    if is_looser:
        return f"the ledger refuses to store this, so nothing was changed: {why}"
    return (
        "this holds now but NOT after a restart, because the ledger refuses to store it; "
        f"/kill holds for ever: {why}"
    )
