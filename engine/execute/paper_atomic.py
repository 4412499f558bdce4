"""The paper executor of plans that are one transaction: each meets the pools with its block."""

from dataclasses import dataclass

from engine.domain.plans import AtomicPlan
from engine.execute.atomic import AtomicExecutor
from engine.execute.atomic_finished import finish_atomic
from engine.execute.executor import End, Late
from engine.execute.finished import Finished
from engine.execute.following import OutcomeRules
from engine.execute.late import LateFinished, correct
from engine.execute.paper_blocks import PaperBlocks
from engine.execute.paper_loop import PaperLoop
from engine.execute.plan_executor import Around


def make_paper_atomic(around: Around) -> PaperLoop:
    """Make the paper executor of plans that are one transaction."""
    blocks = PaperBlocks.make(around)
    return PaperLoop(
        AtomicPlan,
        AtomicExecutor(outcomes=OutcomeRules(), is_killed=around.is_killed),
        [blocks],
        AtomicEndings(blocks),
        intend=around.intend,
        waits_for_intents=around.waits_for_intents,
    )


@dataclass(frozen=True, slots=True)
class AtomicEndings:
    """What plans that are one transaction come to; see `paper_loop.Endings`."""

    blocks: PaperBlocks

    def finish(self, end: End, *, void: str) -> Finished:
        """Settle a plan that has ended."""
        finished = finish_atomic(end, void=void)
        self.blocks.end(finished.plan, finished.execution.transaction)
        return finished

    def correct(self, late: Late, *, number: int) -> LateFinished:
        """Settle what was told after the end."""
        return correct(late, number=number)
