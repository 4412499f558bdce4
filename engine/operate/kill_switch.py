"""Kills and unkills as the engine carries them out, and what they void.

A command that loosens carries when the operator gave it. It may arrive late, or twice: after a
crash, after a network that was away, as a button that waited. Whatever tightened since, from
wherever, declines it. A kill waits for nobody: memory first, then file and ledger. An unkill is in
the ledger before it acts.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from engine.bus.command import Envelope
from engine.bus.records import EngineState, LatchAct, LatchRecord, Outcome
from engine.domain.errors import BadValueError, FatalError, TransientError
from engine.operate.clock import Clock
from engine.operate.codes import STORED_WITHIN_S, Codes
from engine.operate.kill_latch import ORDER, KillLatch
from engine.operate.outbox import Outbox

log = logging.getLogger(__name__)

BY_FILE: Final = "the latch file"
BY_ORDER: Final = f"the file {ORDER}"
_VOID: Final = "the kill latch was set or cleared after this was asked; look at /status, ask again"


class KillSwitch:
    """A latch, its acts, and when it and the operator last tightened.

    Attributes:
        engine: whose latch it is; empty for that of all engines.

    Args:
        on_kill: is told of a kill as soon as it is known, so that all else makes way for it.
    """

    def __init__(
        self,
        latch: KillLatch,
        outbox: Outbox,
        clock: Clock,
        *,
        state: EngineState,
        codes: Codes,
        engine: str = "",
        on_kill: Callable[[], None] = lambda: None,
    ) -> None:
        self.engine = engine
        self._on_kill = on_kill
        self._latch = latch
        self._outbox = outbox
        self._clock = clock
        self._codes = codes
        self._tightened_at_ns = state.changed_at_ns
        recorded = state.own_latch if engine else state.latch
        self._killed_at_ns = recorded.at_ns if recorded.is_killed else 0
        self._is_recorded_killed = recorded.is_killed
        self._was_killed = self._was_gone = False
        self._differs = False
        self._ahead = (0, 0)
        self._acts = 0
        self._newest: LatchRecord | None = None
        cleared_at_ns = latch.cleared_at_ns()
        if cleared_at_ns is not None and cleared_at_ns < self._killed_at_ns:
            log.error("a kill could not be written to %s: it holds all the same", latch.path)
            latch.hold()
        self.read_latch()

    def read_latch(self) -> None:
        """See kills that did not come through the engine: a shell's, a hand's, the file's loss."""
        now_ns = self._clock()
        # Ahead of now: the clock was set back. What is asked from now on is newer all the same.
        self._killed_at_ns = min(self._killed_at_ns, now_ns)
        self._tightened_at_ns = min(self._tightened_at_ns, now_ns)
        changed_at_ns = self._changed_at_ns()
        is_killed = self._latch.is_killed()
        if is_killed and not self._was_killed:
            self._on_kill()
        if is_killed:
            # Held by a signal: the file's last change is an older act, its clearing.
            is_held = self._latch.cleared_at_ns() is not None
            seen_ns = 0 if self._was_killed else now_ns
            at_ns = seen_ns if is_held else changed_at_ns or seen_ns
            self._killed_at_ns = max(self._killed_at_ns, at_ns)
        is_gone = self._latch.changed_at_ns() is None
        if is_gone and not self._was_gone:  # killed anew, and no time of a file says when
            self._killed_at_ns = now_ns
        self._was_killed, self._was_gone = is_killed, is_gone

    def step_clock(self, step_ns: int) -> None:
        """Keep what was asked before a kill older than it after a clock was set ahead.

        Set back, what was stamped ahead of now counts from when that is seen.
        """
        if step_ns > 0:
            self._killed_at_ns += step_ns if self._killed_at_ns else 0
            self._tightened_at_ns += step_ns if self._tightened_at_ns else 0
        self.read_latch()

    def watch(self) -> None:
        """Record and tell what was done to the file alone, once it has stood for two looks."""
        if self._latch.is_ordered() and not self._latch.is_killed():
            record = self._make_record(LatchAct.KILL, by=BY_ORDER, why="it was put there")
            self.kill(replace(record, is_seen=True))
        self.read_latch()
        if self._was_killed == self._is_recorded_killed:
            self._differs = False
        elif not self._differs:
            self._differs = True  # a kill writes the file and tells the engine at the same time
        elif self._was_killed:
            self._record(LatchAct.KILL, by=BY_FILE, why=self._latch.why(), is_seen=True)
        else:
            self._record(LatchAct.UNKILL, by=BY_FILE, is_seen=True)

    def is_killed(self) -> bool:
        """Say whether this latch stops the engine."""
        return self._latch.is_killed()

    def kill(self, record: LatchRecord) -> None:
        """Hold every plan, at once and whatever fails."""
        self._latch.hold()
        self._on_kill()
        self._was_killed = True
        self._killed_at_ns = max(self._killed_at_ns, self._clock())
        self._is_recorded_killed = True
        self._newest = record
        self._outbox.put(record)
        try:
            self._latch.kill(by=record.by, why=record.why)
        except FatalError as error:
            log.warning("the kill holds in this process's memory: %s", error)
        self.read_latch()

    async def unkill(
        self, envelope: Envelope, code: str | None, *, outcome: Outcome | None = None
    ) -> str | None:
        """Clear the latch; returns why not.

        Without a code it was asked by a person on the host. The outcome is stored with it.

        Raises:
            TransientError: the ledger is away; nothing was changed.
        """
        by = envelope.by
        refusal, step = await self._check(envelope, code)
        if refusal is not None:
            return refusal
        if self._was_killed and not self._is_recorded_killed:
            # A kill by hand that was not seen twice yet: the record of it must not come last.
            self._record(LatchAct.KILL, by=BY_FILE, why=self._latch.why())
        record = replace(self._make_record(LatchAct.UNKILL, by=by, code_step=step), outcome=outcome)
        self._newest = record
        try:
            await self._outbox.put_durably(record, timeout_s=STORED_WITHIN_S)
        except BadValueError as error:
            return f"the ledger refuses to store it ({error}); nothing was changed"
        except (TransientError, asyncio.CancelledError) as error:
            self._take_back(by)
            if isinstance(error, asyncio.CancelledError):
                raise
            raise TransientError("the ledger is away: nothing was changed; ask again") from error
        void = self.voids_unkill(envelope.at_ns)  # a kill may have come meanwhile
        if void is not None:
            self._take_back(by)
            return void
        if self._newest is not record:  # such as what took back one that was asked before this
            return "another act on the latch came in meanwhile; look at /status, ask again"
        try:
            self._latch.clear()
        except FatalError as error:
            self._take_back(by)
            return str(error)
        self._was_killed = self._is_recorded_killed = False
        return None

    def tightened(self) -> None:
        """Remember that a pause or a lower mode was set."""
        self._tightened_at_ns = self._clock()

    def voids_unkill(self, given_at_ns: int) -> str | None:
        """Return why the latch may not be cleared by what was given then, None if it may."""
        self.read_latch()
        # The file alone outlives everything: an old command finds its last change there.
        if given_at_ns > max(self._killed_at_ns, self._changed_at_ns()):
            return None
        return _VOID

    def voids_loosening(self, given_at_ns: int) -> str | None:
        """Return why a pause may not end, or a mode not go up, by what was given then."""
        if given_at_ns <= self._tightened_at_ns:
            return "a pause or a lower mode came after this was asked; look at /status, ask again"
        return self.voids_unkill(given_at_ns)

    async def _check(self, envelope: Envelope, code: str | None) -> tuple[str | None, int | None]:
        """Return why an unkill is refused, and the step of the code that it used up."""
        if self._latch.is_ordered():
            return f"the file {ORDER} lies beside the latch: remove it first", None
        void = self.voids_unkill(envelope.at_ns)
        if void is not None or code is None:
            return void, None
        if not self._codes.is_enrolled:
            return (
                "no authenticator is set up (SYNDICATE_OPERATOR_TOTP_SECRET); "
                "clear the latch on the host: make unkill"
            ), None
        return await self._codes.use(code, by=envelope.by, what="unkill")

    def _changed_at_ns(self) -> int:
        """Return when the file was changed; one ahead of now counts from when that was seen."""
        at_ns = self._latch.changed_at_ns() or 0
        now_ns = self._clock()
        if at_ns <= now_ns:
            return at_ns
        if self._ahead[0] != at_ns:
            self._ahead = (at_ns, now_ns)
        return self._ahead[1]

    def _take_back(self, by: str) -> None:
        """Put the kill behind an unkill that was recorded and did not act."""
        self._record(LatchAct.KILL, by=by, why="the clearing was taken back")

    def _record(self, act: LatchAct, *, by: str, why: str = "", is_seen: bool = False) -> None:
        self._is_recorded_killed = act is LatchAct.KILL
        self._differs = False
        self._newest = replace(self._make_record(act, by=by, why=why), is_seen=is_seen)
        self._outbox.put(self._newest)

    def _make_record(
        self, act: LatchAct, *, by: str, why: str = "", code_step: int | None = None
    ) -> LatchRecord:
        at_ns = self._clock()
        self._acts += 1
        of = f"{self.engine}-" if self.engine else ""
        return LatchRecord(
            record_id=f"{act.name.lower()}-{of}{at_ns}-{self._acts}",
            engine=self.engine,
            at_ns=at_ns,
            act=act,
            by=by,
            why=why,
            code_step=code_step,
        )
