"""The engine's side of the bus: carries out commands and answers with what is so afterwards."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Final

from msgspec.structs import replace

from engine.bus.command import Envelope
from engine.bus.kill_reports import DrillReport
from engine.bus.lease import Lease
from engine.bus.notices import Notice
from engine.bus.open_outside import ON_PAPER, OpenOutside
from engine.bus.records import StateRecord
from engine.bus.reports import Acknowledged, Declined
from engine.bus.request import Caller, Reply, Request
from engine.bus.work_reports import WorkDone
from engine.core.inputs.fees_set import FeesSet
from engine.core.inputs.inventory_reset import InventoryReset
from engine.core.inputs.limits_set import LimitsSet
from engine.core.inputs.places_off import PlacesOff
from engine.core.inputs.switched import ControlState
from engine.decide.switches import Switches
from engine.domain.delays import Delayed
from engine.domain.errors import BadValueError, TransientError, UnstoredError
from engine.domain.fees import FeeWord
from engine.domain.health import Sight
from engine.domain.instruments import VenueId
from engine.domain.modes import Basis, Mode, is_upward
from engine.domain.switched_off import Off
from engine.domain.transfer_life import TransferOrder
from engine.operate import contract_word, kill_drill, loosening, transfer_word, venue_word
from engine.operate.advice_desk import AdviceDesk
from engine.operate.aftermath import Aftermath
from engine.operate.approval_desk import ApprovalDesk
from engine.operate.change_news import ChangeNews
from engine.operate.chat_sight import ChatSight
from engine.operate.clock import Clock
from engine.operate.closings import ClosingDesk
from engine.operate.codes import STORED_WITHIN_S
from engine.operate.core_parts import Core
from engine.operate.engine_reports import EngineReports, Sights
from engine.operate.kill_latch import EngineLatches
from engine.operate.kill_switches import KillSwitches
from engine.operate.mode_word import ModeWord
from engine.operate.once import Once
from engine.operate.operator_set import OperatorSet
from engine.operate.outbox import Outbox
from engine.operate.settings_desk import SettingsDesk
from engine.operate.silence import Silence
from engine.operate.state_records import StateRecords
from engine.operate.step_up import Loosening, StepUp, is_beyond_paper

AWAY: Final = "the ledger is away"


NOT_LIVE: Final = "nothing can be signed here: no role is there that could"


class EngineAnswers:
    """Obeys `bus.request.Answerer`; how a request is answered stands with it, in `requests`.

    A change is acknowledged only once the ledger has it. Tightening acts before that; loosening
    acts after it, so that no crash can leave the engine looser than its record.

    Attributes:
        waiting: loosenings that were allowed and wait, those among them that are void by now too.
        advice: of background work.
        sender: the role that sends transactions; None where nothing may be sent.
        trader: the role that places orders; None where none may be placed.
        look: sees how feeds, chains, the recording and the chat stand.
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
        step_up: StepUp,
        silence: Silence,
        sight: ChatSight,
        delayed: tuple[Delayed, ...] = (),
        mode_word: ModeWord | None = None,
    ) -> None:
        self.core = core
        self._mode_word = mode_word
        self.reports = EngineReports(core, sights)
        self.latches = latches
        self.kill_switches = kill_switches
        self.clock = clock
        self.once = once
        self.step_up = step_up
        self.silence = silence
        self.sight = sight
        self.aftermath = Aftermath(core, latches, clock, self._outside)
        self.waiting = delayed
        self.why_not_live: Callable[[], str] = lambda: NOT_LIVE
        self.look_outside: Callable[[], Awaitable[OpenOutside]] = _nothing_outside
        self.sender: Caller | None = None
        self.trader: Caller | None = None
        self.look: Callable[[], list[Sight]] = list
        self._outbox = outbox
        self._lease = lease
        self._records = StateRecords(core.header.run_id, clock)
        self.approvals = ApprovalDesk(core, self, clock)
        self.closings = ClosingDesk(core, self, clock)
        self.advice = AdviceDesk(core, clock, self.tell)
        self.settings = SettingsDesk(core, self, clock)

    @property
    def control(self) -> Switches:
        """What the operator asked of the core."""
        return self.core.control

    @property
    def delayed(self) -> tuple[Delayed, ...]:
        """Loosenings that will act unless something is done."""
        void = self.kill_switches.voids_loosening
        return tuple(one for one in self.waiting if void(one.asked_at_ns) is None)

    def step_clock(self, step_ns: int) -> None:
        """Keep each wait as long as it was when the clock is set."""
        self.silence.step_clock(step_ns)
        self.waiting = tuple(
            replace(one, asked_at_ns=one.asked_at_ns + step_ns, due_at_ns=one.due_at_ns + step_ns)
            for one in self.waiting
        )

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
        outcome = self.once.outcome(envelope, done)
        record = self._records.make(self._set, envelope, "balance reset", outcome=outcome)
        try:
            await self._store(record, is_done=True)
        except BadValueError as error:
            return Declined(why=_unstored(str(error), is_looser=False))
        return done

    async def note(
        self,
        envelope: Envelope,
        action: str,
        *,
        is_looser: bool = False,
        code_step: int | None = None,
    ) -> Declined | None:
        """Put an act into the audit and wait until it is durable; return why that failed.

        With `is_looser` the act is not done then; its record is still on its way, so that another
        one takes it back behind it.
        """
        record = self._records.make(self._set, envelope, action, code_step=code_step)
        try:
            await self._outbox.put_durably(record, timeout_s=STORED_WITHIN_S)
        except TransientError:
            if is_looser:
                undo = f"{action}: taken back"
                self._outbox.put(self._records.make(self._set, envelope, undo))
            return Declined(why=f"{AWAY}: nothing was done; ask again")
        except BadValueError as error:
            return Declined(why=_unstored(str(error), is_looser=True))
        return None

    def voids(self, at_ns: int) -> str | None:
        """Return why what was asked then may not let the engine do more, None if it may."""
        return self.kill_switches.voids_loosening(at_ns)

    async def change(
        self,
        envelope: Envelope,
        action: str,
        *,
        mode: Mode | None = None,
        is_paused: bool | None = None,
        limits: Mapping[str, Decimal] | None = None,
        delayed: tuple[Delayed, ...] | None = None,
        off: tuple[Off, ...] | None = None,
        fees: Mapping[VenueId, FeeWord] | None = None,
        settings: Mapping[str, Decimal] | None = None,
        code_step: int | None = None,
    ) -> Acknowledged | Declined:
        """Set mode, pause, limits, what is off, fees, what waits, or what the settings say.

        A loosening that something overtook is declined; whatever does not loosen cancels all
        that waits.
        """
        before = self._set
        news = ChangeNews(self.core, self.latches, self.clock, before)
        wanted = before.with_(
            mode=mode, is_paused=is_paused, limits=limits, delayed=delayed, off=off, fees=fees
        )
        is_looser = (
            is_upward(current=before.mode, wanted=wanted.mode)
            or (before.is_paused and not wanted.is_paused)
            or self.core.decider.limits.is_looser(wanted.limits, settings)
            or any(one not in before.delayed for one in wanted.delayed)
            or bool(before.off_keys - wanted.off_keys)
            or self.core.fees.is_looser(wanted.fees)
        )
        if not is_looser:
            if delayed is None:
                wanted = replace(wanted, delayed=())
            self.kill_switches.tightened()
            self._apply(wanted, settings)
        at_ns = self.clock()
        is_named = any(one is not None for one in (limits, delayed, off, fees, settings))
        tell = partial(
            news.tell,
            wanted,
            by=envelope.by,
            at_ns=at_ns,
            cancelled_by="" if is_looser else action,
            has_mode=mode is not None or not is_named,
        )
        paused = "paused, no plans are made" if wanted.is_paused else "not paused"
        done = Acknowledged(
            text=action if is_named else f"mode {wanted.mode}, {paused}",
            is_killed=self.latches.is_killed(),
            is_paused=wanted.is_paused,
            mode=wanted.mode,
        )
        outcome = self.once.outcome(envelope, done)
        record = self._records.make(wanted, envelope, action, outcome=outcome, code_step=code_step)
        number = self._records.count
        try:
            await self._store(record, is_done=not is_looser)
        except (TransientError, asyncio.CancelledError) as error:
            if not is_looser:
                # It is done, and its record on its way: the operator is told behind that.
                tell()
                raise
            # The record is still on its way: take it back behind itself, so that no restart
            # makes the engine looser than the operator was told.
            undo = f"{action}: taken back"
            self._outbox.put(self._records.make(self._set, envelope, undo))
            self.once.took_back(envelope, f"{AWAY}: nothing was changed")
            if isinstance(error, asyncio.CancelledError):
                raise
            raise TransientError(f"{AWAY}: nothing was changed; ask again") from error
        except BadValueError as error:
            if not is_looser:
                tell()  # it holds all the same, as long as this process does
            return Declined(why=_unstored(str(error), is_looser=is_looser))
        if is_looser:
            if number != self._records.count:
                # Somebody tightened while this waited for the ledger; the later word counts.
                return self.once.took_back(
                    envelope, "another change came in meanwhile; look at /status, ask again"
                )
            self._apply(wanted, settings)
        tell()
        return done

    async def loosen(
        self,
        envelope: Envelope,
        asked: Loosening,
        *,
        is_confirmed: bool,
        code: str | None,
    ) -> Acknowledged | Declined:
        """Let more through, once it has all that this needs; see `loosening`."""
        return await loosening.loosen(self, envelope, asked, is_confirmed=is_confirmed, code=code)

    async def unpause_contract(
        self, envelope: Envelope, chain: str, *, is_confirmed: bool, code: str | None
    ) -> WorkDone | Declined:
        """Let our contract on a chain run again; see `contract_word`."""
        return await contract_word.unpause(
            self, envelope, chain, is_confirmed=is_confirmed, code=code
        )

    async def adopt_venue(
        self, envelope: Envelope, venue: str, *, is_confirmed: bool, code: str | None
    ) -> WorkDone | Declined:
        """Take what a halted venue shows as what is so; see `venue_word`."""
        return await venue_word.adopt(self, envelope, venue, is_confirmed=is_confirmed, code=code)

    async def begin_transfer(
        self, envelope: Envelope, order: TransferOrder, *, is_confirmed: bool, code: str | None
    ) -> WorkDone | Declined:
        """Bring money to another exchange; see `transfer_word`."""
        return await transfer_word.begin(
            self, envelope, order, is_confirmed=is_confirmed, code=code
        )

    async def drill(self, envelope: Envelope) -> DrillReport | Declined:
        """Kill as a drill, while whatever is traded is simulated; see `kill_drill`."""
        if self.core.header.basis is not Basis.SANDBOX and is_beyond_paper(self.control.mode):
            return Declined(why="beyond paper on live markets nothing is tried out: go down first")
        return await kill_drill.drill(
            self.latches,
            self._outbox,
            self.clock,
            envelope,
            engine=self.core.header.engine_id,
        )

    async def cancel_delayed(self, envelope: Envelope) -> Acknowledged | Declined:
        """Cancel all that waits."""
        if not self.waiting:
            return self.now("nothing waits")
        return await self.change(envelope, "cancelled, nothing waits any more", delayed=())

    async def _store(self, record: StateRecord, *, is_done: bool) -> None:
        """Wait until a change is durable; where it is not yet, say whether it was done."""
        try:
            await self._outbox.put_durably(record, timeout_s=STORED_WITHIN_S)
        except TransientError as error:
            if is_done:
                raise UnstoredError(str(error)) from error
            raise

    @property
    def _set(self) -> OperatorSet:
        """All that the operator has set, as it is now."""
        limits = self.core.decider.limits.by_operator
        return OperatorSet(
            mode=self.control.mode,
            is_paused=self.control.is_paused,
            limits=limits,
            delayed=self.waiting,
            off=self.core.decider.off.all,
            fees=self.core.fees.by_operator,
        )

    def _apply(self, wanted: OperatorSet, settings: Mapping[str, Decimal] | None) -> None:
        before, at_ns = self._set, self.clock()
        self.waiting = wanted.delayed
        if wanted.limits != before.limits or settings is not None:
            said = None if settings is None else dict(settings)
            given = LimitsSet(limits=dict(wanted.limits), by_settings=said)
            self.core.hot_path.command(given, at_ns)
        if wanted.off != before.off:
            self.core.hot_path.command(PlacesOff(off=wanted.off), at_ns)
        if wanted.fees != before.fees:
            self.core.hot_path.command(FeesSet(fees=dict(wanted.fees)), at_ns)
        if (wanted.mode, wanted.is_paused) != (before.mode, before.is_paused):
            if self._mode_word is not None and wanted.mode != before.mode:
                self._mode_word.write(wanted.mode)  # the signer reads it, and asks no engine
            state = ControlState(mode=wanted.mode, is_paused=wanted.is_paused)
            self.core.hot_path.command(state, at_ns)

    def tell(self, notice: Notice) -> None:
        """Tell a notice."""
        self.core.journal.notices.tell(notice)

    async def _outside(self) -> OpenOutside:
        return await self.look_outside()

    @property
    def basis(self) -> Basis:
        """Where the figures of this run come from."""
        return self.core.basis

    def now(self, text: str) -> Acknowledged:
        """Acknowledge with what is so now."""
        return Acknowledged(
            text=text,
            is_killed=self.latches.is_killed(),
            is_paused=self.control.is_paused,
            mode=self.control.mode,
        )


async def _nothing_outside() -> OpenOutside:
    return ON_PAPER


def _unstored(why: str, *, is_looser: bool) -> str:
    if is_looser:
        return f"the ledger refuses to store this, so nothing was changed: {why}"
    return (
        "this holds now but NOT after a restart, because the ledger refuses to store it; "
        f"/kill holds for ever: {why}"
    )
