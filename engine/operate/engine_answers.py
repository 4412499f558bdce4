"""The engine's side of the bus: carries out commands and answers with what is so afterwards."""

import asyncio

from engine.bus.commands import (
    EngineCommand,
    GetBalance,
    GetLimits,
    GetOpportunities,
    GetSpreads,
    GetStatus,
    GetVenues,
    GetVersion,
    GetWhy,
    Kill,
    Pause,
    ResetBalance,
    Resume,
    SetMode,
    Unkill,
)
from engine.bus.lease import Lease
from engine.bus.notices import ModeChanged, Notice
from engine.bus.records import StateRecord
from engine.bus.reports import Acknowledged, Declined, Report, Unknown
from engine.core.inputs.inventory_reset import InventoryReset
from engine.core.inputs.switched import ControlState
from engine.domain.errors import BadValueError, TransientError
from engine.domain.modes import Basis, Mode, is_upward
from engine.operate.balance_report import make_balance_report
from engine.operate.clock import Clock
from engine.operate.engine_reports import EngineReports, RunParts
from engine.operate.kill_latch import KillLatch
from engine.operate.kill_switch import STORED_WITHIN_S, KillSwitch
from engine.operate.outbox import Outbox

Question = (
    GetStatus
    | GetVenues
    | GetOpportunities
    | GetWhy
    | GetLimits
    | GetSpreads
    | GetBalance
    | GetVersion
)


class EngineAnswers:
    """Obeys `bus.wire.Answerer`.

    A change is acknowledged only once the ledger has it. Tightening acts before that; loosening
    acts after it, so that no crash can leave the engine looser than its record.
    """

    def __init__(
        self,
        parts: RunParts,
        *,
        latch: KillLatch,
        kill_switch: KillSwitch,
        outbox: Outbox,
        clock: Clock,
        lease: Lease,
    ) -> None:
        self._parts = parts
        self._reports = EngineReports(parts)
        self._latch = latch
        self._kill_switch = kill_switch
        self._outbox = outbox
        self._clock = clock
        self._lease = lease
        self._changes = 0

    async def answer(self, request: EngineCommand) -> Report:  # noqa: PLR0911 - one table
        """Answer a command; see `Answerer.answer`."""
        if not isinstance(request, Kill):  # a kill holds whoever is told
            self._lease.check()
        match request:
            case Kill():
                self._kill_switch.kill(request)
                return self._now("killed: no plan is made until the latch is cleared")
            case Unkill():
                return await self._unkill(request)
            case Pause(by=by):
                return await self._change(by, "pause", is_paused=True)
            case Resume():
                return await self._resume(request)
            case SetMode():
                return await self._set_mode(request)
            case ResetBalance():
                return await self._reset_balance(request)
            case _:
                return await self._report(request)

    async def _report(self, request: Question) -> Report:  # noqa: PLR0911 - one table
        at_ns = self._clock()
        match request:
            case GetStatus():
                return self._reports.status(at_ns)
            case GetVenues():
                return self._reports.venues(at_ns)
            case GetOpportunities(limit=limit):
                return self._reports.opportunities(limit, at_ns)
            case GetWhy(ref=ref):
                return await self._reports.why(ref, at_ns) or Unknown(what=ref)
            case GetLimits():
                return self._reports.limits(at_ns)
            case GetSpreads():
                return self._reports.spreads(at_ns)
            case GetBalance():
                return make_balance_report(self._parts, at_ns)
            case GetVersion():
                return self._reports.version()

    async def _unkill(self, command: Unkill) -> Report:
        if not self._latch.is_killed():
            return self._now("the latch is clear already")
        refusal = await self._kill_switch.unkill(command)
        if refusal is not None:
            return Declined(why=refusal)
        return self._now("the latch is clear; plans are made again as the mode allows")

    async def _resume(self, command: Resume) -> Report:
        void = self._kill_switch.voids_loosening(command.given_at_ns)
        if void is not None:
            return Declined(why=void)
        return await self._change(command.by, "resume", is_paused=False)

    async def _set_mode(self, command: SetMode) -> Report:
        current = self._parts.control.mode
        if is_upward(current=current, wanted=command.mode):
            if not command.is_confirmed:
                return Declined(
                    why=f"going up from {current} to {command.mode} needs a confirmation",
                    needs_confirmation=True,
                )
            void = self._kill_switch.voids_loosening(command.given_at_ns)
            if void is not None:
                return Declined(why=void)
        return await self._change(command.by, f"mode {command.mode}", mode=command.mode)

    async def _reset_balance(self, command: ResetBalance) -> Report:
        if not command.is_confirmed:
            return Declined(
                why="every venue's paper money is set back to its start at the prices of now; "
                "what was won, lost or shifted stays in /pnl and in the exports",
                needs_confirmation=True,
            )
        control = self._parts.control
        self._parts.hot_path.command(InventoryReset(), self._clock())
        # Its deposits are on their way to the ledger: once this record is stored, they are.
        self._changes += 1
        record = self._state_record(
            ControlState(mode=control.mode, is_paused=control.is_paused),
            number=self._changes,
            by=command.by,
            action="balance reset",
        )
        try:
            await self._outbox.put_durably(record, timeout_s=STORED_WITHIN_S)
        except BadValueError as error:
            return Declined(why=_unstored(str(error), is_looser=False))
        waiting = self._parts.inventory.waiting
        later = f"; {waiting} follow once they have a price" if waiting else ""
        return self._now(f"every place holds its capital again{later}")

    async def _change(
        self, by: str, action: str, *, mode: Mode | None = None, is_paused: bool | None = None
    ) -> Report:
        control = self._parts.control
        wanted = ControlState(
            mode=control.mode if mode is None else mode,
            is_paused=control.is_paused if is_paused is None else is_paused,
        )
        is_looser = is_upward(current=control.mode, wanted=wanted.mode) or (
            control.is_paused and not wanted.is_paused
        )
        if not is_looser:
            self._kill_switch.tightened()
            self._apply(wanted)
        self._changes += 1
        number = self._changes
        at_ns = self._clock()
        record = self._state_record(wanted, number=number, by=by, action=action)
        try:
            await self._outbox.put_durably(record, timeout_s=STORED_WITHIN_S)
        except (TransientError, asyncio.CancelledError) as error:
            if not is_looser:
                raise
            # The record is still on its way: take it back behind itself, so that no restart
            # makes the engine looser than the operator was told.
            self._changes += 1
            now = ControlState(mode=control.mode, is_paused=control.is_paused)
            undo = f"{action}: taken back"
            self._outbox.put(self._state_record(now, number=self._changes, by=by, action=undo))
            if isinstance(error, asyncio.CancelledError):
                raise
            raise TransientError("the ledger is away: nothing was changed; ask again") from error
        except BadValueError as error:
            return Declined(why=_unstored(str(error), is_looser=is_looser))
        if is_looser:
            if number != self._changes:
                # Somebody tightened while this waited for the ledger; the later word counts.
                return Declined(why="another change came in meanwhile; look at /status, ask again")
            self._apply(wanted)
        self._tell(
            ModeChanged(
                at_ns=at_ns,
                basis=self._basis,
                mode=wanted.mode,
                is_paused=wanted.is_paused,
                is_killed=self._latch.is_killed(),
                by=by,
            )
        )
        paused = "paused, no plans are made" if wanted.is_paused else "not paused"
        return self._now(f"mode {wanted.mode}, {paused}")

    def _state_record(
        self, state: ControlState, *, number: int, by: str, action: str
    ) -> StateRecord:
        return StateRecord(
            record_id=f"{self._parts.header.run_id}-s{number}",
            at_ns=self._clock(),
            mode=state.mode,
            is_paused=state.is_paused,
            limits=dict(self._parts.decider.limits.by_operator),
            by=by,
            action=action,
        )

    def _apply(self, wanted: ControlState) -> None:
        self._parts.hot_path.command(wanted, self._clock())

    def _tell(self, notice: Notice) -> None:
        self._parts.journal.tell(notice)

    @property
    def _basis(self) -> Basis:
        return self._parts.header.basis

    def _now(self, text: str) -> Acknowledged:
        return Acknowledged(
            text=text,
            is_killed=self._latch.is_killed(),
            is_paused=self._parts.control.is_paused,
            mode=self._parts.control.mode,
        )


def _unstored(why: str, *, is_looser: bool) -> str:
    if is_looser:
        return f"the ledger refuses to store this, so nothing was changed: {why}"
    return (
        "this holds now but NOT after a restart, because the ledger refuses to store it; "
        f"/kill holds for ever: {why}"
    )
