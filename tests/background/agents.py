"""Agents in a seeded world: each task runs when it is due, as it does live.

What they want comes from the world's real ledger and engine and from its chain, what they find is
kept there, and what they advise becomes inputs of the run.
"""

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from engine.agents.task_list import TASKS
from engine.background.history import History
from engine.background.ports import Given, Outcome, Task
from engine.background.runs import Ended
from engine.background.wants import PricesGiven, PricesNow
from engine.bus.memory import MemoryCaller
from engine.bus.request import Reply, Request
from engine.domain.advice import PoolsAdvice, ThresholdProposal
from engine.domain.errors import SyndicateError, TransientError
from engine.domain.modes import Basis
from engine.domain.runs import How, RunLine
from engine.market.board import Board
from engine.requests.request_list import requests_of
from engine.wiring.task_findings import Findings
from engine.wiring.task_wants import Wants
from tests.background.odd_shapes import SenderOf
from tests.background.rival_chain import APART_MS, RivalChain
from tests.background.rival_link import ChainsOf
from tests.background.world import World

HOURLY_S: Final = 3600.0
"""Between two runs of what is bound to times of day."""

FIRST_S: Final = 120.0
"""No task waits longer for its first run than that."""


class Away:
    """A role that this world has not: chains are told to the engine without it."""

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """See `Caller.call`."""
        del timeout_s
        raise TransientError(f"nobody answers {type(request).__name__} in this world")


@dataclass
class Agents:
    """Runs each task when it is due; obeys `world.Beside`.

    Attributes:
        pace: how much more often than live they run: this world trades as much in a minute as
            others in an hour.
        tasks: those that run.
        runs: of each task.
        missed: what could not be had, by task.
        cpu_s: processor time of all runs.
        found: discoveries by kind.
        acted: of these, those with advice that the engine goes by.
    """

    pace: float = 1.0
    tasks: Sequence[Task[Any]] = TASKS
    runs: Counter[str] = field(default_factory=Counter)
    missed: dict[str, str] = field(default_factory=dict)
    cpu_s: float = 0.0
    found: Counter[str] = field(default_factory=Counter)
    acted: Counter[str] = field(default_factory=Counter)
    _due_s: dict[str, float] = field(default_factory=dict)
    _learned: dict[str, Any] = field(default_factory=dict)
    _history: History | None = None
    _wants: Wants | None = None
    _board: Board | None = None
    _findings: Findings | None = None

    async def __call__(self, world: World) -> None:
        """See `world.Beside`."""
        if self._wants is None:
            self._begin(world)
        assert self._wants is not None
        assert self._findings is not None
        now_s, is_news = world.elapsed_s(), False
        for task in self.tasks:
            every_s = (task.every_s or HOURLY_S) / self.pace
            if now_s < self._due_s.setdefault(task.name, min(every_s, FIRST_S)):
                continue
            if not all(self.runs[name] for name in task.after):
                continue
            self._due_s[task.name] = now_s + every_s
            is_news |= await self._run(task, self._wants, self._findings)
        if is_news:
            await self._findings._pass_on()

    def _begin(self, world: World) -> None:
        engine = MemoryCaller(requests_of("engine"), world.life.answers)
        clock, chain = world.life.now_ns, world.chain
        self._board = world.life.core.board
        self._history = History(
            world.machine.directory / "background", [task.name for task in self.tasks]
        )
        self._wants = Wants(
            ledger=world.ledger,
            engine=engine,
            chains=ChainsOf(chain) if isinstance(chain, RivalChain) else Away(),
            prices_path=world.machine.directory / "none",
            tasks=self.tasks,
            history=self._history,
            basis=Basis.SANDBOX,
            seed=1,
            clock=clock,
            sender=self._sender(world),
        )
        self._findings = Findings(
            ledger=world.ledger, engine=engine, chains=None, basis=Basis.SANDBOX, clock=clock
        )

    @staticmethod
    def _sender(world: World) -> SenderOf | None:
        chain = world.chain
        if not isinstance(chain, RivalChain) or chain.shapes is None:
            return None
        return SenderOf(chain.shapes, world.life.put, world.life.now_ns, APART_MS)

    async def _given(self, task: Task[Any], wants: Wants) -> Given:
        """Return what a task wants; prices are the board's, which shares them with nobody here."""
        assert self._board is not None
        at_ns = wants.clock()
        own = {want: prices_of(self._board, at_ns) for want in task.wants if want == PricesNow()}
        others = replace(task, wants=tuple(want for want in task.wants if want not in own))
        given = await wants(others)
        answers = {want: given.of(want) for want in others.wants} | own
        return Given(at_ns=given.at_ns, basis=given.basis, seed=given.seed, answers=answers)

    async def _run(self, task: Task[Any], wants: Wants, findings: Findings) -> bool:
        try:
            given = await self._given(task, wants)
        except SyndicateError as error:
            self.missed[task.name] = str(error)
            return False
        began_s = time.process_time()
        outcome = _finish(task, given, self._learned.get(task.name))
        cpu_s = time.process_time() - began_s
        self.cpu_s += cpu_s
        self.runs[task.name] += 1
        self._learned[task.name] = outcome.learned
        for discovery in outcome.found:
            self.found[discovery.kind] += 1
            if not isinstance(discovery.advice, ThresholdProposal | PoolsAdvice | None):
                self.acted[discovery.kind] += 1
        assert self._history is not None
        self._history.note(
            task.name,
            RunLine(
                begun_at_ns=given.at_ns,
                ended_at_ns=given.at_ns,
                how=How.DONE,
                cpu_s=cpu_s,
                found=len(outcome.found),
                measured=outcome.measured,
            ),
        )
        await findings(
            task,
            Ended(
                run_id=f"{task.name}-{self.runs[task.name]}",
                how=How.DONE,
                outcome=outcome,
                cpu_s=cpu_s,
                begun_at_ns=given.at_ns,
                ended_at_ns=given.at_ns,
            ),
        )
        return any(discovery.advice is not None for discovery in outcome.found)


def prices_of(board: Board, at_ns: int) -> PricesGiven:
    """Return what stands on top of each live book."""
    given = PricesGiven(at_ns=at_ns)
    for book, instrument in enumerate(board.instruments):
        pair, is_live = instrument.pair, board.is_live(book)
        sides = [board.best(book, side) if is_live else None for side in (0, 1)]
        given.venue.append(instrument.venue)
        given.place.append(str(pair))
        given.base.append(pair.base)
        given.quote.append(pair.quote)
        given.chain.append("")
        for side, prices, sizes in zip(
            sides, (given.bid, given.ask), (given.bid_size, given.ask_size), strict=True
        ):
            price_steps, size_steps = (math.nan, math.nan) if side is None else side
            prices.append(price_steps / 10**instrument.price_decimals)
            sizes.append(size_steps / 10**instrument.size_decimals)
    return given


def _finish(task: Task[Any], given: Given, learned: Any) -> Outcome[Any]:
    work = task.run(given, None, learned)
    while True:
        try:
            next(work)
        except StopIteration as ended:
            outcome: Outcome[Any] = ended.value
            return outcome
