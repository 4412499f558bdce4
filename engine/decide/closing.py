"""Plans that close what is left over at a person's word: their terms, and whether they may begin.

A closing takes risk away, so that no limit of risk holds it up: neither losses nor exposure, nor a
pause. What protects from what must not happen at all does: the kill latch, the mode, what is
switched off, a venue that takes no orders, a balance that is not there, a ledger that is behind.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

import msgspec

from engine.decide.circumstances import Circumstances
from engine.decide.limits import Finding
from engine.decide.under_way import closed_place, needs
from engine.domain.assets import AssetCode
from engine.domain.modes import Mode, Money
from engine.domain.opportunities import Hop, HopKind, Leg, Opportunity, Reason, Side
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import (
    Closes,
    LeggedPlan,
    Plan,
    closing_id,
    digest_of_plan,
    money_of,
)
from engine.domain.residuals import Residual
from engine.domain.units import BPS_PER_UNIT, NS_PER_S
from engine.portfolio.costs import EXACT

OFFERED_S: Final = 60
"""So long after it was shown what closing comes to, that may be said yes to."""

_LIVE_MODES: Final = frozenset({Mode.LIVE, Mode.APPROVE})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """What closing a leftover comes to now.

    Attributes:
        left: the leftover.
        leg: the order that closes it, or a part, as it would fill.
        row: of its book.
        profit_quote: what that gains against what the part was filled for, after its fee.
    """

    left: Residual
    leg: Leg
    row: int
    profit_quote: Decimal


def closing_terms(
    reckoned: Reckoned,
    money: Money,
    *,
    run_id: str,
    number: int,
    usd_per_quote: Decimal,
    at_ns: int,
) -> LeggedPlan:
    """Return what a person is asked: a plan that may begin as long as that counts."""
    left, leg = reckoned.left, reckoned.leg
    found_id = closing_id(run_id, number)
    edge_bps = EXACT.divide(reckoned.profit_quote * BPS_PER_UNIT, leg.notional_quote)
    opportunity = Opportunity(
        opportunity_id=found_id,
        seen_at_ns=at_ns,
        frame_seq=leg.frame_seq,
        hops=_round(reckoned),
        size_base=float(leg.size_base),
        gross_edge_bps=float(edge_bps),
        net_edge_bps=float(edge_bps),
        gas_quote=0.0,
        profit_quote=float(reckoned.profit_quote),
    )
    return LeggedPlan(
        plan_id=f"{found_id}-p",
        opportunity=opportunity,
        decided_at_ns=at_ns,
        deadline_ns=at_ns + OFFERED_S * NS_PER_S,
        legs=(leg,),
        profit_quote=reckoned.profit_quote,
        transfer_quote=Decimal(0),
        net_edge_bps=edge_bps.quantize(Decimal("0.0001")),
        notional_usd=leg.notional_quote * usd_per_quote,
        usd_per_quote=usd_per_quote,
        is_live=True if money is Money.LIVE else msgspec.UNSET,
        closes=Closes(held=left.held.value, carry=left.carry.value),
    )


def _round(reckoned: Reckoned) -> tuple[Hop, Hop]:
    """Return the way there, which is done, and the way back, in the order of a round in quote."""
    left, leg = reckoned.left, reckoned.leg
    pair = leg.instrument.pair
    share = float(leg.size_base / abs(left.held.value))
    was = (float(abs(left.carry.value)) * share, float(leg.size_base))
    will = (float(leg.notional_quote), float(leg.size_base))
    (paid, bought), (brought, sold) = (was, will) if leg.side is Side.SELL else (will, was)

    def hop(source: AssetCode, given: float, target: AssetCode, received: float) -> Hop:
        return Hop(
            kind=HopKind.BOOK,
            venue=leg.venue,
            place=str(pair),
            row=reckoned.row,
            source=source,
            target=target,
            amount_in=given,
            amount_out=received,
            frame_seq=leg.frame_seq,
        )

    return hop(pair.quote, paid, pair.base, bought), hop(pair.base, sold, pair.quote, brought)


class Closings:
    """Says whether closings may begin in a run, and keeps the terms of those that do."""

    def __init__(self, run: Circumstances, *, plan_ttl_ns: int) -> None:
        self._run = run
        self._plan_ttl_ns = plan_ttl_ns
        self._said: dict[str, LeggedPlan] = {}

    def why_not(self, terms: LeggedPlan, at_ns: int) -> str:
        """Say why a closing may not begin now, for a report: it leaves no trace."""
        run = self._run
        looks = (run.shows_killed, run.shows_ledger_behind)
        finding = self._finding(terms, at_ns, looks=looks)
        return "" if finding is None else finding.detail

    def begin(self, terms: LeggedPlan, at_ns: int) -> LeggedPlan | Finding:
        """Return the plan of what a person said yes to, or why it does not begin."""
        run = self._run
        finding = self._finding(terms, at_ns, looks=(run.is_killed, run.is_ledger_behind))
        if finding is not None:
            return finding
        permit = Permit(kind=PermitKind.APPROVAL, id=terms.plan_id, digest=digest_of_plan(terms))
        self._said[terms.plan_id] = terms
        return msgspec.structs.replace(
            terms,
            permit=permit,
            decided_at_ns=at_ns,
            deadline_ns=min(terms.deadline_ns, at_ns + self._plan_ttl_ns),
        )

    def terms_of(self, plan: Plan) -> LeggedPlan | None:
        """Return what a person said yes to, while its plan begins."""
        return self._said.get(plan.plan_id)

    def refusal(self, plan: Plan) -> str:
        """Say why a closing may not be carried out: it has to be what a person said yes to."""
        terms = self._said.get(plan.plan_id)
        if terms is None or plan.permit is None:
            return "no person said yes to it, or it began already"
        bare = msgspec.structs.replace(
            plan, permit=None, decided_at_ns=terms.decided_at_ns, deadline_ns=terms.deadline_ns
        )
        if plan.permit.digest != digest_of_plan(terms) or bare != terms:
            return "it is not what a person said yes to"
        return ""

    def started(self, plan: LeggedPlan) -> None:
        """Use a person's word up."""
        self._said.pop(plan.plan_id, None)

    def _finding(
        self,
        terms: LeggedPlan,
        at_ns: int,
        *,
        looks: tuple[Callable[[], bool], Callable[[], bool]],
    ) -> Finding | None:
        is_killed, is_ledger_behind = looks
        if is_killed():
            return Finding(reason=Reason.KILLED, detail="the kill latch is set")
        if is_ledger_behind():
            return Finding(reason=Reason.LEDGER_BEHIND, detail="the ledger is behind")
        if at_ns > terms.deadline_ns:
            detail = f"what it comes to was shown more than {OFFERED_S} s ago"
            return Finding(reason=Reason.TERMS_LEFT, detail=detail)
        return self._shut(terms, at_ns) or self._not_there(terms)

    def _shut(self, terms: LeggedPlan, at_ns: int) -> Finding | None:
        """Look whether the mode and the place let it through."""
        run, money = self._run, money_of(terms)
        if why := self._why_not_by_mode(money):
            return Finding(reason=Reason.OBSERVE_ONLY, detail=why)
        if what := run.off.of_route(terms.opportunity.hops):
            return Finding(reason=Reason.SWITCHED_OFF, detail=f"{what} is switched off")
        if money is Money.LIVE and (why := run.exchanges.why_not_at(terms.legs[0].venue, at_ns)):
            return Finding(reason=Reason.VENUE_UNREADY, detail=why)
        return None

    def _why_not_by_mode(self, money: Money) -> str:
        mode = self._run.switches.mode
        if money is Money.LIVE and mode not in _LIVE_MODES:
            return f"the mode is {mode}: real orders leave in mode approve or live"
        if mode is Mode.OBSERVE:
            return "the mode is observe: nothing is traded, on paper neither"
        return ""

    def _not_there(self, terms: LeggedPlan) -> Finding | None:
        """Look whether what is to be closed is left over still, and what that draws on is there."""
        account, place = self._run.account(money_of(terms)), closed_place(terms)
        if account.under_way.closes(place):
            return Finding(reason=Reason.TERMS_LEFT, detail="it is being closed already")
        (leg,) = terms.legs
        held = next(
            (one.held.value for one in account.positions.residuals if one.place == place),
            Decimal(0),
        )
        left = held if leg.side is Side.SELL else -held
        # Of what is bought back the fee may be taken: then a little more is bought than is owed.
        closed = leg.size_base - leg.fee_base
        if left < closed:
            detail = f"{held:f} {place[1]} is left over by now"
            return Finding(reason=Reason.TERMS_LEFT, detail=detail)
        for drawn, amount in needs(terms.legs):
            free = account.inventory.held(drawn) - account.under_way.reserved(drawn)
            if free < amount:
                detail = f"{amount:f} {drawn[1]} is needed at {drawn[0]}, {free:f} is free"
                return Finding(reason=Reason.BALANCE_TOO_LOW, detail=detail)
        return None
