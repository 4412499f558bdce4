"""A plan that has ended, of whichever kind: what it came to, and the story of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol

from engine.domain.exact import exact_product
from engine.domain.orders import Execution
from engine.domain.plans import Plan
from engine.domain.stories import Cause, Difference, TradeStory, Worth

ESTIMATE_DECIMALS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What an opportunity was told to be worth when it was found."""

    profit_quote: float
    profit_usd: float | None


class Finished(Protocol):
    """A plan that has ended."""

    @property
    def plan(self) -> Plan:
        """The plan."""
        ...

    @property
    def execution(self) -> Execution:
        """What it came to."""
        ...

    def booked(self, execution: Execution) -> "Finished":
        """Return it with the execution as it was booked."""
        ...

    def story(self, found: Found | None = None) -> TradeStory:
        """Tell what made it come to another profit than was found; else from the decision on."""
        ...


NOTHING_FINISHED: tuple[Finished, ...] = ()


def worth_of(plan: Plan, quote: Decimal) -> Worth:
    """Return an amount with its value at the rate of the decision."""
    return Worth(quote=quote, usd=exact_product(quote, plan.usd_per_quote))


def worth_estimated(amount: float) -> Decimal:
    """Return an estimate in floats as it is told, to the step that costs are rounded to."""
    return Decimal(repr(round(amount, ESTIMATE_DECIMALS)))


def first_worth(plan: Plan, found: Found | None, screened: Worth) -> Worth:
    """Return where a story begins: with what was found, else with what was decided on."""
    if found is None or found.profit_quote == plan.opportunity.profit_quote:
        return screened
    worth = worth_of(plan, worth_estimated(found.profit_quote))
    usd = worth.usd if found.profit_usd is None else worth_estimated(found.profit_usd)
    return Worth(quote=worth.quote, usd=usd)


def differences_of(start: Worth, reached: "list[tuple[Cause, Worth]]") -> tuple[Difference, ...]:
    """Return what each cause made of the figure before it; what made nothing is left out."""
    found = []
    before = start
    for cause, worth in reached:
        change = worth - before
        if change.quote or change.usd:
            found.append(Difference(cause=cause, worth=change))
        before = worth
    return tuple(found)
