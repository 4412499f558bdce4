"""Tries routes out on forks: the newest plan of each shape, by each lender that it could have.

On the state that the plan was simulated on, where it has to do what the exact answer says; and on
the newest, where its gap is gone and only that it runs through to the check of its gain counts. An
older plan, as of a shape that is off, is tried on the newest state alone, as it would be sent.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from engine.domain.errors import BadValueError, TransientError
from engine.domain.handed import Handed
from engine.domain.plans import AtomicPlan
from engine.domain.routes_on_chain import BPS, GIVES_FIRST, ChainRoute, Source, SourceKind
from engine.domain.trials import Trial, shape_of
from engine.domain.truths import Foreseen
from engine.sending.calls import HeadNow
from engine.sending.encoding import calldata
from engine.sending.nonces import NonceTable
from engine.sending.routes import RouteTerms, gain_expected_raw, route_of
from engine.sending.view import ChainView
from engine.sending.warming import Simulate

SHAPES_MAX: Final = 12
LOOKED_AT: Final = 200
OLD_BLOCKS_MAX: Final = 100
"""Nodes that keep no archive know the states of so many blocks."""

LATER_S: Final = 600
NO_GAP: Final = ("ProfitTooLow", "transfer amount exceeds balance", "InsufficientBalance")
"""What a route says whose gap is gone: it ran through, and gained too little to pay back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Tries out on one chain.

    Attributes:
        simulate: on an EVM of its own.
    """

    chain: str
    terms: RouteTerms
    table: NonceTable
    view: ChainView
    simulate: Simulate

    async def run(self) -> list[Trial]:
        """Try the newest plan of each shape out.

        Raises:
            TransientError: nodes do not say.
        """
        head = await self.view.head()
        found: list[Trial] = []
        shapes: set[str] = set()
        for handed, foreseen in self.table.newest_foreseen(LOOKED_AT):
            plan = handed.plan
            if not isinstance(plan, AtomicPlan):
                continue
            shape = shape_of([str(step.venue) for step in plan.steps])
            if plan.chain != self.chain or not foreseen.block or shape in shapes:
                continue
            shapes.add(shape)
            found += await self._of_plan(shape, plan, handed, foreseen, head)
            if len(shapes) >= SHAPES_MAX:
                break
        return found

    async def _of_plan(
        self, shape: str, plan: AtomicPlan, handed: Handed, foreseen: Foreseen, head: HeadNow
    ) -> list[Trial]:
        try:
            used = route_of(plan, handed.pools, self.terms)
        except BadValueError:
            return []
        if foreseen.block <= head.number - OLD_BLOCKS_MAX:
            return [await self._tried_now(shape, plan, used, foreseen.block, head)]
        try:
            then = await self.view.head_of(foreseen.block)
        except TransientError:
            return []
        return [
            await self._tried(shape, plan, route, used, then, head)
            for route in encodings_of(used, self.terms)
        ]

    async def _tried(  # noqa: PLR0917 - a row of a table
        self,
        shape: str,
        plan: AtomicPlan,
        route: ChainRoute,
        used: ChainRoute,
        then: HeadNow,
        head: HeadNow,
    ) -> Trial:
        data = calldata(route)
        result = await self.simulate(then, route.contract, data)
        expected_raw = gain_expected_raw(plan, route)
        why = result.why
        if not why and result.gain_raw != expected_raw:
            why = f"it gives {result.gain_raw} units, the exact answer {expected_raw}"
        _, head_why = await self._now(route, head)
        return Trial(
            chain=self.chain,
            shape=shape,
            lender=route.source.kind.value,
            is_used=route.source == used.source,
            plan_id=plan.plan_id,
            block=then.number,
            gas=result.gas_used,
            planned_gas=plan.gas.units,
            call_bytes=len(data),
            why=why[:200],
            head_why=head_why,
        )

    async def _tried_now(
        self, shape: str, plan: AtomicPlan, route: ChainRoute, block: int, head: HeadNow
    ) -> Trial:
        """Try a route whose own state no node knows any more."""
        gas, head_why = await self._now(route, head)
        return Trial(
            chain=self.chain,
            shape=shape,
            lender=route.source.kind.value,
            is_used=True,
            plan_id=plan.plan_id,
            block=block,
            gas=gas,
            planned_gas=plan.gas.units,
            call_bytes=len(calldata(route)),
            head_why=head_why,
            is_at_head_alone=True,
        )

    async def _now(self, route: ChainRoute, head: HeadNow) -> tuple[int, str]:
        """Return what a route takes at the newest block, and why it does not run through there."""
        later = replace(route, deadline_ts=head.ts + LATER_S)
        now = await self.simulate(head, route.contract, calldata(later))
        is_run_through = not now.why or any(words in now.why for words in NO_GAP)
        return now.gas_used, "" if is_run_through else now.why[:200]


def encodings_of(used: ChainRoute, terms: RouteTerms) -> Iterator[ChainRoute]:
    """Return the route as it is sent, and with each other lender that it could have."""
    yield used
    source = used.source
    others = []
    if isinstance(used.hops[0], GIVES_FIRST) and source.kind is not SourceKind.FIRST_HOP:
        others.append(
            Source(kind=SourceKind.FIRST_HOP, token=source.token, amount_raw=source.amount_raw)
        )
    if terms.aave and source.kind is not SourceKind.AAVE_V3:
        fee_raw = -int(-(source.amount_raw * terms.aave_fee_bps) // BPS)
        others.append(
            Source(
                kind=SourceKind.AAVE_V3,
                token=source.token,
                amount_raw=source.amount_raw,
                address=terms.aave,
                fee_raw=fee_raw,
            )
        )
    if terms.vault and source.kind is not SourceKind.BALANCER_V2:
        others.append(
            Source(
                kind=SourceKind.BALANCER_V2,
                token=source.token,
                amount_raw=source.amount_raw,
                address=terms.vault,
            )
        )
    for other in others:
        try:
            yield replace(used, source=other, profit_min_raw=1)
        except BadValueError:  # a pool that is locked while it lends
            continue
