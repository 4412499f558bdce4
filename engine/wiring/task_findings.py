"""What runs found: stored first, then passed on as advice to those whom it concerns."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cachetools import FIFOCache

from engine.background.ports import Task
from engine.background.runs import Ended
from engine.bus.discovery_reports import Became, EffectKept, Use
from engine.bus.request import Caller, Reply, Request
from engine.domain.advice import ADVICE_MAX, DatedAdvice
from engine.domain.backoff import Backoff
from engine.domain.discoveries import Discovery
from engine.domain.errors import SyndicateError, TransientError
from engine.domain.modes import Basis
from engine.domain.recovery import FINDINGS
from engine.operate.clock import Clock
from engine.requests.advise import pass_on
from engine.requests.discoveries import (
    GetDiscoveries,
    KeepChange,
    KeepDiscoveries,
    KeepEffect,
    KeepUse,
)
from engine.wiring.advice_lines import chosen_lines, dated

AGAIN_S: Final = 20.0
"""Advice is told again so often: who was started again begins without any, and what it changed is
heard of then."""

APART_S: Final = 1.5
"""Least time between two tellings."""

NOTED_MAX: Final = 8 * ADVICE_MAX
ASK_S: Final = 30.0
_GOES_ON: Final = frozenset({Became.NEW, Became.REPLACED, Became.AGAIN})
_log = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Findings:
    """Obeys `runs.Take`.

    Attributes:
        chains: None where no chain is followed.
        refused: discoveries that the ledger refused, so far.
        trouble: why advice could not be passed on at the last try; empty if it was.
    """

    ledger: Caller
    engine: Caller
    chains: Caller | None
    basis: Basis
    clock: Clock
    refused: int = 0
    trouble: str = ""
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _noted: FIFOCache[tuple[int, str, int], None] = field(
        default_factory=lambda: FIFOCache(NOTED_MAX)
    )

    async def __call__(self, task: Task[Any], ended: Ended, /) -> None:
        """Store what a run found; waits for the ledger as long as it takes."""
        outcome = ended.outcome
        if outcome is None:
            return
        if outcome.found:
            await self._keep(task, ended, list(outcome.found))
        for one in outcome.effects:
            kept = await self._asked(task, KeepEffect(seq=one.seq, effect=one.effect))
            if isinstance(kept, EffectKept) and kept.ended:
                self._changed.set()

    async def _keep(self, task: Task[Any], ended: Ended, found: list[Discovery]) -> None:
        asked = KeepDiscoveries(
            task=task.name,
            agent=task.agent,
            task_run=ended.run_id,
            at_ns=ended.begun_at_ns,
            basis=self.basis,
            found=found,
        )
        kept = await self._asked(task, asked)
        for verdict in kept.verdicts:
            if verdict.became is Became.REFUSED:
                self.refused += 1
                _log.warning("%s: a discovery is refused: %s", task.name, verdict.why)
        if any(one.became in _GOES_ON for one in kept.verdicts):
            self._changed.set()

    async def _asked(self, task: Task[Any], request: Request[Reply]) -> Reply:
        """Ask the ledger for as long as it takes."""
        backoff = Backoff(FINDINGS, first_s=0.5, longest_s=30.0)
        while True:
            try:
                reply = await self.ledger.call(request, timeout_s=ASK_S)
            except TransientError as error:
                _log.info("what %s found waits for the ledger: %s", task.name, error)
                await asyncio.sleep(backoff.next_s())
            else:
                backoff.reset()
                return reply

    async def run(self) -> None:
        """Pass advice on for ever: when it changed, and again and again."""
        while True:
            self._changed.clear()
            try:
                await self._pass_on()
            except SyndicateError as error:
                if self.trouble != str(error):
                    _log.info("advice is not passed on: %s", error)
                self.trouble = str(error)
            else:
                self.trouble = ""
            await asyncio.sleep(APART_S)
            wait_s = AGAIN_S if not self.trouble else 5 * APART_S
            try:
                async with asyncio.timeout(wait_s):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _pass_on(self) -> None:
        asked = GetDiscoveries(is_advice=True, limit=ADVICE_MAX)
        report = await self.ledger.call(asked, timeout_s=ASK_S)
        lines = [line for line in report.lines if line.basis is self.basis]
        advice = [dated(line) for line in chosen_lines(lines)]
        taken = await pass_on(advice, engine=self.engine, chains=self.chains)
        for one in taken:
            await self._note_changes(one.changed)
            if one.is_changed and one.run_id and one.input_seq:
                await self._note_use(
                    advice, Use(run_id=one.run_id, input_seq=one.input_seq, at_ns=self.clock())
                )

    async def _note_changes(self, changed: Mapping[int, str]) -> None:
        for seq, what in changed.items():
            key = (seq, what, 0)
            if key not in self._noted:
                await self.ledger.call(KeepChange(seq=seq, what=what), timeout_s=ASK_S)
                self._noted[key] = None

    async def _note_use(self, advice: Sequence[DatedAdvice], use: Use) -> None:
        """Link what an engine took to the input that it became; each piece once in a run."""
        for piece in advice:
            key = (piece.discovery, use.run_id, piece.until_ns)
            if piece.discovery and key not in self._noted:
                await self.ledger.call(KeepUse(seq=piece.discovery, use=use), timeout_s=ASK_S)
                self._noted[key] = None
