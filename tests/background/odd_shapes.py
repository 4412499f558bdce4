"""What is true of shapes of routes in a world, and nobody knows but forks.

Routes that end at the odd pools take more gas than plans reckon with; such that begin there fail
for a while now and then, as contracts that are paused do. Whoever sends carries a route out on a
fork first, so that what fails costs nothing and comes to nothing.
"""

import random
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, cast

from engine.bus.records import DepositRecord, ExecutionRecord
from engine.bus.request import Reply, Request
from engine.bus.trials import GetTrials, TrialsReport
from engine.domain.errors import TransientError
from engine.domain.plans import AtomicPlan, OnChain
from engine.domain.pools import Protocol
from engine.domain.trials import Trial
from engine.domain.units import NS_PER_S
from engine.execute.fork_word import AS_RECKONED, shape_of_plan
from engine.operate.clock import Clock
from engine.sending.trials import OLD_BLOCKS_MAX, SHAPES_MAX

ODD: Final = Protocol.SUSHISWAP_V2
GAS_RATIO: Final = Decimal("1.4")
"""Chosen: what a route takes of the gas that is reckoned with, as where it crosses many prices."""

PASSES_S, FAILS_S = 1_800.0, 1_200.0
"""Chosen: for so long it passes, then fails, on average."""

LONGEST_S: Final = 86_400.0
WHY: Final = "it reverts: Paused()"
CALL_BYTES: Final = 300


class OddShapes:
    """Obeys `fork_word.ForkWord`."""

    def __init__(self, seed: int, *, epoch_ns: int) -> None:
        rng = random.Random(f"shapes {seed}")
        self._turns_ns: list[int] = []
        at_s = 0.0
        while at_s < LONGEST_S:
            usual_s = FAILS_S if len(self._turns_ns) % 2 else PASSES_S
            at_s += rng.expovariate(1 / usual_s)
            self._turns_ns.append(epoch_ns + int(at_s * NS_PER_S))

    def why_not(self, plan: OnChain, at_ns: int) -> str:
        """See `ForkWord.why_not`."""
        is_off = bisect_right(self._turns_ns, at_ns) % 2
        return WHY if is_off and shape_of_plan(plan).startswith(ODD) else ""

    def gas_ratio(self, plan: OnChain, at_ns: int) -> Decimal:
        """See `ForkWord.gas_ratio`."""
        del at_ns
        return GAS_RATIO if shape_of_plan(plan).endswith(ODD) else AS_RECKONED


@dataclass(frozen=True, slots=True)
class SenderOf:
    """The role that sends of such a world, as far as it tries out; obeys `bus.request.Caller`.

    Attributes:
        done: what was booked, oldest first.
        block_ms: between two blocks of the chain.
    """

    shapes: OddShapes
    done: Iterable[ExecutionRecord | DepositRecord]
    clock: Clock
    block_ms: int

    async def call(self, request: Request[Reply], /, *, timeout_s: float = 5.0) -> Reply:
        """See `Caller.call`; raises `TransientError` for what nobody asks in such a world."""
        del timeout_s
        if not isinstance(request, GetTrials):
            raise TransientError(f"nobody answers {type(request).__name__} in this world")
        return cast("Reply", TrialsReport(trials=self._trials(self.clock())))

    def _trials(self, now_ns: int) -> list[Trial]:
        newest: dict[str, AtomicPlan] = {}
        for record in self.done:
            if isinstance(record, ExecutionRecord) and isinstance(record.plan, AtomicPlan):
                newest[shape_of_plan(record.plan)] = record.plan
        return [
            self._tried(shape, plan, now_ns) for shape, plan in list(newest.items())[-SHAPES_MAX:]
        ]

    def _tried(self, shape: str, plan: AtomicPlan, now_ns: int) -> Trial:
        then_ns = plan.decided_at_ns
        is_old = now_ns - then_ns >= OLD_BLOCKS_MAX * self.block_ms * 1_000_000
        ratio = self.shapes.gas_ratio(plan, then_ns)
        return Trial(
            chain=plan.chain,
            shape=shape,
            lender="first_hop",
            is_used=True,
            plan_id=plan.plan_id,
            block=then_ns // (self.block_ms * 1_000_000),
            gas=int(plan.gas.units * ratio),
            planned_gas=plan.gas.units,
            call_bytes=CALL_BYTES,
            why="" if is_old else self.shapes.why_not(plan, then_ns),
            head_why=self.shapes.why_not(plan, now_ns),
            is_at_head_alone=is_old,
        )
