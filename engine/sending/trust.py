"""Which routes are sent: one whose simulation contradicts its plan is not, until a person looks.

A route that fails for another reason, again and again, rests for a while with its cause.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from engine.domain.plans import OnChain
from engine.domain.recovery import ROUTE_REST, Recovery
from engine.domain.units import NS_PER_S

FAILURES_MAX: Final = 3
REST_NS: Final = 300 * NS_PER_S


class Failure(StrEnum):
    """Why a plan was not sent, or did nothing."""

    SOLVER = "the exact answer differs from what the contracts give"
    ENCODING = "no call of ours does it"
    STATE = "the pools moved meanwhile"
    FEE = "gas costs more than the plan pays"
    ORDER = "others were first in the block"


@dataclass(slots=True)
class _Record:
    failures: int = 0
    rests_until_ns: int = 0
    why: str = ""
    rest: Recovery = field(default_factory=lambda: Recovery(ROUTE_REST))


@dataclass(slots=True)
class RouteTrust:
    """What is known of routes, by their pools in order."""

    _records: dict[tuple[str, ...], _Record] = field(default_factory=dict)
    _disabled: dict[tuple[str, ...], str] = field(default_factory=dict)

    def why_not(self, plan: OnChain, at_ns: int) -> str:
        """Say why a plan's route is not sent now; empty if it is."""
        key = _key(plan)
        if key in self._disabled:
            return f"its route is disabled: {self._disabled[key]}"
        record = self._records.get(key)
        if record is not None and record.rests_until_ns > at_ns:
            return f"its route rests: {record.why}, {record.failures} times"
        return ""

    def contradict(self, plan: OnChain, detail: str) -> str:
        """Disable a route whose simulation contradicts its plan; return what a person is told."""
        self._disabled[_key(plan)] = f"{Failure.SOLVER}: {detail}"
        return f"{_named(plan)} is disabled until the sender starts anew: {detail}"

    def fail(self, plan: OnChain, failure: Failure, at_ns: int) -> str:
        """Count a failure; return what a person is told, empty if the route goes on."""
        record = self._records.setdefault(_key(plan), _Record())
        record.failures += 1
        record.why = failure.value
        if record.failures < FAILURES_MAX or record.rests_until_ns > at_ns:
            return ""
        record.rests_until_ns = at_ns + REST_NS
        record.rest.failed()
        return (
            f"{_named(plan)} failed {record.failures} times and rests for"
            f" {REST_NS // NS_PER_S} s: {failure}"
        )

    def succeed(self, plan: OnChain) -> None:
        """Forget what failed of a route that works."""
        record = self._records.pop(_key(plan), None)
        if record is not None:
            record.rest.works()


def _key(plan: OnChain) -> tuple[str, ...]:
    return (plan.chain, *(f"{one.address.lower()} {one.source} {one.target}" for one in plan.steps))


def _named(plan: OnChain) -> str:
    return f"the route of {plan.plan_id} by {', '.join(one.venue for one in plan.steps)}"
