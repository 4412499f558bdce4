"""What an executor is: a machine that is told what happened and answers with what is to be done.

It knows no clock, network or database: instants come with what it is told. An order, or a
transaction, leaves only by `Send`, and that is asked for only after its intent was told to be
durable.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from engine.domain.orders import Intent, Sendable
from engine.domain.plans import Plan
from engine.execute.order_life import News

NEVER_NS: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Store:
    """Make the intent of an order durable, then tell `stored`."""

    order: Sendable


@dataclass(frozen=True, slots=True)
class Send:
    """Release an order to its venue; at most once for each.

    Attributes:
        leg: number of the plan's leg that it fills, or trades back; 0 for a transaction.
        until_ns: a leg, or a transaction, may not start after this instant (wall clock): what
            follows on a first part has a time of its own.
    """

    plan: Plan
    leg: int
    order: Sendable
    until_ns: int


@dataclass(frozen=True, slots=True)
class LookUp:
    """Ask the venue what became of an order: open ones, closed ones and trades."""

    order: Sendable


@dataclass(frozen=True, slots=True)
class Alarm:
    """Tell a person, who has to look at it."""

    plan_id: str
    sentence: str


@dataclass(frozen=True, slots=True)
class End:
    """A plan has come to its end: every order's outcome is known.

    Attributes:
        at_ns: when the last of it happened.
    """

    plan: Plan
    orders: tuple[Sendable, ...]
    at_ns: int


@dataclass(frozen=True, slots=True)
class Late:
    """Something that counts was told of an order after its plan had ended.

    Attributes:
        before: all orders of the plan as they were known when it was told.
        orders: the same as known since.
    """

    plan: Plan
    before: tuple[Sendable, ...]
    orders: tuple[Sendable, ...]
    at_ns: int


Act = Store | Send | LookUp | Alarm | End | Late
NO_ACTS: Final[tuple[Act, ...]] = ()

PlanT_contra = TypeVar("PlanT_contra", bound=Plan, contravariant=True)


class Executor(Protocol[PlanT_contra]):
    """Carries plans of one kind out."""

    @property
    def next_at_ns(self) -> int:
        """When `tick` is due next; `NEVER_NS` if nothing waits."""
        ...

    def start(self, plan: PlanT_contra, at_ns: int) -> Sequence[Act]:
        """Take a plan on; past its deadline it ends with nothing sent."""
        ...

    def recover(self, intent: Intent, at_ns: int) -> Sequence[Act]:
        """Take a plan over whose engine ended while it was under way; nothing is sent again.

        What its orders came to is unknown until there is proof.
        """
        ...

    def stored(self, client_order_id: str, at_ns: int) -> Sequence[Act]:
        """Learn that the intent of an order is durable."""
        ...

    def on_news(self, news: News, at_ns: int) -> Sequence[Act]:
        """Learn something of an order, be its plan under way or ended."""
        ...

    def knows(self, client_order_id: str) -> bool:
        """Say whether an order is of a plan under way, or of one that ended not long ago."""
        ...

    def missed(self, client_order_id: str, at_ns: int, *, has_gap: bool) -> Sequence[Act]:
        """Learn that a look-up found the order nowhere.

        Args:
            client_order_id: of the order.
            at_ns: when the look-up was answered.
            has_gap: whether the venue's stream of orders had one since the order was sent.
        """
        ...

    def tick(self, at_ns: int) -> Sequence[Act]:
        """Do what is due with time."""
        ...
