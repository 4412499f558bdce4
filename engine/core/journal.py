"""What the pipeline tells of what it does, and to whom."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

from engine.detect.screening.episodes import Closed
from engine.domain.approvals import Approval, ApprovalEnd
from engine.domain.holdings import Deposit
from engine.domain.instruments import VenueId
from engine.domain.low_balances import BalanceTurn
from engine.domain.mandates import MandateUse
from engine.domain.opportunities import Opportunity, Refusal
from engine.domain.plans import LeggedPlan, Plan
from engine.domain.told import Cost, WalletSeen
from engine.execute.finished import Finished
from engine.market.freshness import VenueEdge
from engine.portfolio.wallets import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A decision on an opportunity.

    Attributes:
        opportunity: with the figures that were decided on.
        is_first: whether it is the decision at opening.
        frame_seqs: numbers of the inputs behind it: the trigger, the last change of the first
            leg's place, that of the last leg's place.
        profit_usd: screened profit in USD, None if no live book values the quote asset.
        advice: what of background work's bears on it, in words.
    """

    opportunity: Opportunity
    decision: Plan | Refusal
    is_first: bool
    frame_seqs: tuple[int, int, int]
    profit_usd: float | None
    advice: tuple[str, ...] = ()


class Journal(Protocol):
    """Is told what the pipeline does; it must not block."""

    def opportunity_found(self, opportunity: Opportunity) -> None:
        """Learn of a new opportunity; the decision on it follows at once."""
        ...

    def opportunity_decided(self, decided: Decided) -> None:
        """Learn of a decision; an opportunity may have several, at most one is a plan."""
        ...

    def opportunity_closed(self, closed: Closed) -> None:
        """Learn that an opportunity vanished."""
        ...

    def time_passed(self, at_ns: int) -> None:
        """Learn what time it is, some times a second."""
        ...

    def execution_finished(self, finished: Finished) -> None:
        """Learn that a plan has ended; it is already booked in positions and inventory."""
        ...

    def deposited(self, deposit: Deposit, at_ns: int) -> None:
        """Learn that a place of the inventory was set to its capital."""
        ...

    def found_on_chain(self, found: Found, seen: WalletSeen, at_ns: int) -> None:
        """Learn that a chain shows live money otherwise than the books; these are put right."""
        ...

    def found_at_venue(self, found: Found, at_ns: int) -> None:
        """Learn that a venue shows live money otherwise than the books; these are put right."""
        ...

    def balance_turned(self, turn: BalanceTurn, at_ns: int) -> None:
        """Learn that a place of live money ran low, or is enough again."""
        ...

    def fee_told(self, venue: VenueId, before: Decimal, after: Decimal, at_ns: int) -> None:
        """Learn that another taker fee is reckoned with, by a venue's word or as that got old."""
        ...

    def cost_booked(self, cost: Cost, at_ns: int) -> None:
        """Learn that a transaction that carries no plan out was paid."""
        ...

    def venue_changed(self, edge: VenueEdge) -> None:
        """Learn that a venue was lost or is back."""
        ...

    def approval_asked(self, approval: Approval) -> None:
        """Learn that a plan waits for a person's word, or for a second one's."""
        ...

    def approval_ended(self, end: ApprovalEnd) -> None:
        """Learn what became of it."""
        ...

    def approved_started(self, plan: Plan) -> None:
        """Learn that what was approved is carried out; told before its approval's end."""
        ...

    def closing_decided(self, terms: LeggedPlan, decision: Plan | Refusal) -> None:
        """Learn whether what a person wanted closed begins, and if not why."""
        ...

    def mandate_changed(self, use: MandateUse) -> None:
        """Learn that a mandate was granted, spent from, or has ended."""
        ...
