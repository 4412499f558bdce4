"""What forks say of transactions: paper of a way that is played again goes by that.

Pools on paper do what the exact answer says. A fork may know better: whoever sends carries each
transaction out on one first, so that what fails there is not sent, and pays the gas that it takes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, Protocol

from engine.domain.advice import DatedAdvice, ShapeGasAdvice, ShapeOffAdvice
from engine.domain.plans import OnChain
from engine.domain.trials import shape_of

AS_RECKONED: Final = Decimal(1)


class ForkWord(Protocol):
    """What a fork says of a plan's transaction at an instant."""

    def why_not(self, plan: OnChain, at_ns: int, /) -> str:
        """Say why it is not sent; nothing if it is."""
        ...

    def gas_ratio(self, plan: OnChain, at_ns: int, /) -> Decimal:
        """Return how much of the gas that the plan reckons with it takes."""
        ...


@dataclass(frozen=True, slots=True)
class AsReckoned:
    """Where nobody hears of forks: all goes as plans say; obeys `ForkWord`."""

    def why_not(self, _plan: OnChain, _at_ns: int) -> str:
        """See `ForkWord.why_not`."""
        return ""

    def gas_ratio(self, _plan: OnChain, _at_ns: int) -> Decimal:
        """See `ForkWord.gas_ratio`."""
        return AS_RECKONED


NO_FORKS: Final = AsReckoned()


@dataclass(slots=True)
class AdvisedWord:
    """What was found out on forks by shape, as it is advised; obeys `ForkWord`.

    Attributes:
        advised: the newest advice, each piece until it ends.
    """

    advised: dict[tuple[str, str], DatedAdvice] = field(default_factory=dict)

    def take(self, advice: Iterable[DatedAdvice]) -> None:
        """Go by what is advised now; what was before has ended."""
        self.advised = {
            one.key: one
            for one in advice
            if isinstance(one.advice, ShapeOffAdvice | ShapeGasAdvice)
        }

    def why_not(self, plan: OnChain, at_ns: int) -> str:
        """See `ForkWord.why_not`."""
        off = self._of(ShapeOffAdvice, plan, at_ns)
        return off.why if isinstance(off, ShapeOffAdvice) else ""

    def gas_ratio(self, plan: OnChain, at_ns: int) -> Decimal:
        """See `ForkWord.gas_ratio`."""
        dearer = self._of(ShapeGasAdvice, plan, at_ns)
        return Decimal(repr(dearer.ratio)) if isinstance(dearer, ShapeGasAdvice) else AS_RECKONED

    def _of(
        self, kind: type[ShapeOffAdvice | ShapeGasAdvice], plan: OnChain, at_ns: int
    ) -> object | None:
        one = self.advised.get((kind.__name__, f"{plan.chain} {shape_of_plan(plan)}"))
        return None if one is None or one.until_ns <= at_ns else one.advice


def shape_of_plan(plan: OnChain) -> str:
    """Return the shape of a plan's route."""
    return shape_of([str(step.venue) for step in plan.steps])
