"""The operator of a run: gives commands, and knows what may be so because of them.

What is known here comes from the commands and their answers alone, never from the engine's parts.
"""

import random
from dataclasses import dataclass
from decimal import Decimal

from engine.bus.command import seal
from engine.bus.records import LatchAct, StateRecord
from engine.bus.reports import Acknowledged, Report
from engine.core.inputs.switched import ControlState
from engine.domain.errors import TransientError
from engine.domain.modes import Mode
from engine.domain.units import NS_PER_S
from engine.operate.engine_answers import EngineAnswers
from engine.requests.limits import SetLimit
from engine.requests.safety import Kill, Pause, ResetBalance, Resume, SetMode, Unkill
from tests.simulation.ledger_line import LedgerLine
from tests.simulation.machine import Machine

BY = "operator"


@dataclass(eq=False)
class _Loosening:
    """A command that loosens and is not answered yet."""

    is_unkill: bool
    kills: int
    given_at_s: float


class Operator:
    """Obeys nobody.

    Attributes:
        state: mode and pause as last acknowledged, or tightened at least.
        acknowledged: mode and pause as last acknowledged.
        is_unsure: a loosening was answered with "nothing was changed", which only the ledger knows.
        is_killed: whether the latch was set and no clearing of it acknowledged.
        kills: how many there were.
        looser: restarts that found the engine looser than was told.
        failures: what was acknowledged and is not so.
    """

    def __init__(self, machine: Machine, ledger: LedgerLine, rng: random.Random) -> None:
        self.state = self.acknowledged = ControlState(mode=Mode.PAPER, is_paused=False)
        self.is_unsure = False
        self.is_killed = False
        self.kills = self.looser = 0
        self.failures: list[str] = []
        self._machine = machine
        self._ledger = ledger
        self._rng = rng
        self._loosenings: list[_Loosening] = []
        self._tightenings = 0
        self._limits_asked = 0
        self._killed_at_s = self._tightened_at_s = -1.0

    def may_plan(self) -> bool:
        """Say whether a plan is allowed now, as far as the answers tell.

        What loosens may act before its answer is here, but not before the ledger has it.
        """
        is_killed = self.is_killed
        if is_killed and self._has_unkill():
            newest = self._ledger.latch
            is_killed = newest is None or newest.act is not LatchAct.UNKILL
        state = self.state
        if is_held(state) and self._has_loosening() and self._ledger.state is not None:
            state = _state_of(self._ledger.state)
        return not is_killed and not is_held(state)

    def restarted(self, found: ControlState, *, is_killed: bool) -> None:
        """Learn what holds after a restart."""
        if self.is_killed and not is_killed and not self._has_unkill():
            self.failures.append("a restart cleared the latch")
        if is_looser(found, self.acknowledged) and not self._has_loosening():
            if not self.is_unsure:
                self.failures.append(f"{found} after a restart, not {self.acknowledged}")
            self.looser += 1
        self._killed_at_s = self._tightened_at_s = -1.0
        self.state = self.acknowledged = found
        self.is_unsure = False
        self.is_killed = is_killed
        self._loosenings.clear()
        self._tightenings = 0

    async def act(self, answers: EngineAnswers, now_ns: int) -> None:
        """Give one command, mostly such that the engine may plan again."""
        ago_s = self._rng.choice([0, 0, 0, 2])
        if self.is_killed and self._rng.random() < 0.8:
            await self._unkill(answers, now_ns, ago_s)
        elif is_held(self.state) and self._rng.random() < 0.8:
            await self._loosen(answers, now_ns, ago_s)
        else:
            await self._tighten(answers, now_ns)

    def kill_by_hand(self) -> None:
        """Kill as a shell can: by writing anything to the file, or by removing it."""
        self._set_killed()
        # Removing a file that is gone already is no act: nobody could see it.
        if self._rng.random() < 0.5 and self._machine.latch_path.exists():
            self._machine.latch_path.unlink()
        else:
            self._machine.latch_path.write_bytes(self._rng.choice([b"", b"stop\n", b"clear"]))
            self._machine.stamp_latch()

    async def _tighten(self, answers: EngineAnswers, now_ns: int) -> None:
        what = self._rng.choice(["pause", "observe", "kill", "reset", "reset", "pause", "limit"])
        if what == "kill":
            self._set_killed()
            await answers.answer(seal(Kill(why="simulated"), by=BY, at_ns=now_ns))
            self._machine.stamp_latch()
        elif what == "reset":
            await self._ask(answers, seal(ResetBalance(is_confirmed=True), by=BY, at_ns=now_ns))
        elif what == "limit":
            await self._set_limit(answers, now_ns)
        elif what == "pause":
            self._tightened_at_s = self._elapsed_s()
            self.state = ControlState(mode=self.state.mode, is_paused=True)
            await self._hold(answers, seal(Pause(), by=BY, at_ns=now_ns))
        else:
            self._tightened_at_s = self._elapsed_s()
            self.state = ControlState(mode=Mode.OBSERVE, is_paused=self.state.is_paused)
            await self._hold(answers, seal(SetMode(mode=Mode.OBSERVE), by=BY, at_ns=now_ns))

    async def _set_limit(self, answers: EngineAnswers, now_ns: int) -> None:
        """Set a limit, up or down: what is acknowledged holds, and is stored."""
        value = Decimal(self._rng.randrange(50, 300))
        command = SetLimit(name="position_usd", value=value, is_confirmed=True)
        self._tightenings += 1
        self._limits_asked += 1
        asked = self._limits_asked
        report = await self._ask(answers, seal(command, by=BY, at_ns=now_ns))
        self._tightenings -= 1
        newest = self._ledger.state
        is_newest = asked == self._limits_asked and isinstance(report, Acknowledged)
        if is_newest and (newest is None or newest.limits.get("position_usd") != value):
            self.failures.append(f"a limit of {value} was acknowledged, but {newest} is stored")

    async def _hold(self, answers: EngineAnswers, command: Pause | SetMode) -> None:
        self._tightenings += 1
        report = await self._ask(answers, command)
        self._tightenings -= 1
        self._check_state(report, "tightening")

    async def _loosen(self, answers: EngineAnswers, now_ns: int, ago_s: int) -> None:
        given_at_ns, given_at_s = now_ns - ago_s * NS_PER_S, self._elapsed_s() - ago_s
        command: Resume | SetMode = seal(Resume(), by=BY, at_ns=given_at_ns)
        if not self.state.is_paused:
            command = seal(SetMode(mode=Mode.PAPER, is_confirmed=True), by=BY, at_ns=given_at_ns)
        pending = _Loosening(is_unkill=False, kills=self.kills, given_at_s=given_at_s)
        self._loosenings.append(pending)
        report = await self._ask(answers, command)
        self._end(pending)
        if isinstance(report, Acknowledged) and given_at_s < self._tightened_at_s:
            self.failures.append("a loosening was acknowledged that is older than a tightening")
        self._check_state(report, "loosening")
        self.is_unsure |= report is None

    async def _unkill(self, answers: EngineAnswers, now_ns: int, ago_s: int) -> None:
        given_at_ns, given_at_s = now_ns - ago_s * NS_PER_S, self._elapsed_s() - ago_s
        pending = _Loosening(is_unkill=True, kills=self.kills, given_at_s=given_at_s)
        self._loosenings.append(pending)
        report = await self._ask(answers, seal(Unkill(code=None), by=BY, at_ns=given_at_ns))
        if isinstance(report, Acknowledged) and not report.is_killed:
            self._machine.stamp_latch()
            if pending.kills != self.kills or given_at_s < self._killed_at_s:
                self.failures.append("an unkill was acknowledged that is older than a kill")
            newest = self._ledger.latch
            if newest is None or newest.act is not LatchAct.UNKILL:
                self.failures.append(f"an unkill was acknowledged, but {newest} is stored")
            self.is_killed = False
        self._end(pending)

    async def _ask(
        self,
        answers: EngineAnswers,
        command: Pause | Resume | SetMode | SetLimit | Unkill | ResetBalance,
    ) -> Report | None:
        try:
            return await answers.answer(command)
        except TransientError:
            return None

    def _check_state(self, report: Report | None, what: str) -> None:
        """Compare an acknowledged state with the ledger's, and take it over."""
        if not isinstance(report, Acknowledged):
            return
        newest = self._ledger.state
        told = ControlState(mode=report.mode, is_paused=report.is_paused)
        # A loosening that is not answered yet may be stored and does not act; a tightening acts
        # and may not be stored.
        is_alone = not self._has_loosening() and not self._tightenings
        if newest is None or (_state_of(newest) != told and is_alone):
            self.failures.append(f"{what} was acknowledged as {told}, but {newest} is stored")
            return
        self.state, self.acknowledged = told, _state_of(newest)
        self.is_unsure = False

    def _elapsed_s(self) -> float:
        return self._machine.elapsed_ns() / NS_PER_S

    def _set_killed(self) -> None:
        self._killed_at_s = self._elapsed_s()
        self.kills += 1
        self.is_killed = True

    def _has_loosening(self) -> bool:
        return any(not one.is_unkill for one in self._loosenings)

    def _has_unkill(self) -> bool:
        return any(one.is_unkill and one.kills == self.kills for one in self._loosenings)

    def _end(self, pending: _Loosening) -> None:
        if pending in self._loosenings:
            self._loosenings.remove(pending)


def is_held(state: ControlState) -> bool:
    """Say whether a state allows no plan."""
    return state.is_paused or state.mode is Mode.OBSERVE


def is_looser(one: ControlState, other: ControlState) -> bool:
    """Say whether a state allows more than another."""
    return (other.is_paused and not one.is_paused) or (one.mode is not other.mode is Mode.OBSERVE)


def _state_of(record: StateRecord) -> ControlState:
    return ControlState(mode=record.mode, is_paused=record.is_paused)
