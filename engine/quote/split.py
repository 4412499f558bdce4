"""Exact confirmation of a route whose legs are shared among parallel places.

Asked for one open route at a time, by a person; it takes some milliseconds and writes nowhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from engine.detect.graph.parallel_places import ParallelPlaces
from engine.detect.graph.places import Place, is_on_one_chain, venue_changes
from engine.detect.splitting.exact_leg import Part, SplitLeg, plan_leg
from engine.detect.splitting.search import (
    Member,
    SizedSplit,
    SplitSearch,
    SplitTerms,
    Steps,
    finish,
)
from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.opportunities import Opportunity
from engine.quote.exact_legs import ExactLegs
from engine.quote.route import Charges, ConfirmedRoute, RouteConfirmer, to_raw

NUDGE: Final = 1.0 + 1e-12
"""An input that floats have rounded to just below whole lots still pays for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacePart:
    """What one place of a leg takes and gives, in units of the leg's two assets.

    Attributes:
        share_ratio: of what the leg's places take together.
    """

    place: Place
    amount_in: Decimal
    amount_out: Decimal
    share_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmedSplit:
    """A route with shared legs at its exact amounts.

    Attributes:
        route: its amounts and its profit.
        more_quote: how much more that is than the route gains through its own places alone.
        legs: the places of each leg; at least one leg has several.
    """

    route: ConfirmedRoute
    more_quote: Decimal
    legs: tuple[tuple[PlacePart, ...], ...]


class SplitConfirmer:
    """Looks for places beside those of a route, and confirms what sharing its legs gains.

    Of each leg the own place and the best others take part, books and pools of any form. The costs
    are those of a route through single places: fees within the pieces, gas of every pool that takes
    something, the flash fee if all places are pools of one chain, and otherwise transfers, each
    seam between two legs counting in full unless all places of both are at one venue.
    """

    def __init__(
        self, parallel: ParallelPlaces, legs: ExactLegs, routes: RouteConfirmer, terms: SplitTerms
    ) -> None:
        self._parallel = parallel
        self._legs = legs
        self._routes = routes
        self._terms = terms

    def confirm(self, route: Opportunity, at_ns: int) -> ConfirmedSplit | None:
        """Return what `confirm_in_steps` comes to, without a pause."""
        return finish(self.confirm_in_steps(route, at_ns))

    def confirm_in_steps(self, route: Opportunity, at_ns: int) -> Steps[ConfirmedSplit | None]:
        """Find the route with shared legs; `None` if that gains no more than the route itself.

        The route itself counts as it was seen and at its best size now, whichever gains more. A
        route that would be better through other places, one each, is an open route of its own.

        The places are read once, at the first step; the market may move while shares are looked
        for. Whole numbers of all that is compared are worked out in the last step, on one board.
        """
        try:
            legs = self._members(route, at_ns)
            search = SplitSearch(legs, self._terms) if _is_shared(legs) else None
            found = None if search is None else (yield from search.search())
            if search is None or found is None or not _is_shared(found.used):
                return None
            single = search.single()
        except BadValueError:
            return None
        split = self._carried(legs, found, route.quote)
        if split is None or not _is_shared(split.legs):
            return None
        alone = None if single is None else self._carried(legs, single, route.quote)
        gained = Decimal(0)
        for one in (self._routes.confirm(route), alone and alone.route):
            if isinstance(one, ConfirmedRoute):
                gained = max(gained, one.profit_quote)
        more_quote = split.route.profit_quote - gained
        return replace(split, more_quote=more_quote) if more_quote > 0 else None

    def _members(self, route: Opportunity, at_ns: int) -> list[list[Member]]:
        """Return the places that each leg may use, its own first.

        A place without a side, without known costs or with other decimals than the route is none.

        Raises:
            BadValueError: a place of the route itself is none.
        """
        legs = []
        for hop in route.hops:
            members = []
            for place in self._parallel.beside(hop, at_ns):
                try:
                    self._legs.decimals([*route.hops, place])
                    side = self._legs.side(place)
                    fixed_cost = self._parallel.fixed_cost(place, route.quote)
                except BadValueError:
                    continue
                if side is not None and fixed_cost is not None:
                    members.append(Member(place=place, side=side, fixed_cost=fixed_cost))
            if not members or (members[0].place.kind, members[0].place.row) != (hop.kind, hop.row):
                raise BadValueError(f"{hop.place} at {hop.venue} takes no part any more")
            legs.append(members)
        return legs

    def _carried(
        self, legs: Sequence[Sequence[Member]], sized: SizedSplit, quote: AssetCode
    ) -> ConfirmedSplit | None:
        """Carry whole amounts through what was sized; `None` if nothing is left of them."""
        used = [
            [members[member] for member, _ in one]
            for members, one in zip(legs, sized.used, strict=True)
        ]
        try:
            return self._exact(used, sized, quote)
        except BadValueError:
            return None

    def _exact(
        self, used: Sequence[Sequence[Member]], sized: SizedSplit, quote: AssetCode
    ) -> ConfirmedSplit | None:
        """Do as `_carried` does with the members that are used.

        Raises:
            BadValueError: the places of a leg take nothing, or do not count in the same decimals.
        """
        decimals = self._legs.decimals(member.place for leg in used for member in leg)
        input_raw = amount_raw = to_raw(sized.input * NUDGE, decimals[quote])
        plans: list[SplitLeg] = []
        for members, taken in zip(used, sized.used, strict=True):
            exact = [self._legs.leg(member.place, decimals) for member in members]
            plans.append(plan_leg(exact, [share for _, share in taken], amount_raw))
            amount_raw = plans[-1].amount_out(amount_raw)
        kept = [
            [members[part.member] for part in (*plan.fixed, *plan.free)]
            for members, plan in zip(used, plans, strict=True)
        ]
        places = [[member.place for member in leg] for leg in kept]
        charges = Charges(
            is_on_one_chain=is_on_one_chain(places),
            venue_changes=venue_changes(places),
            fixed_quote=sum(member.fixed_cost for leg in kept for member in leg),
        )
        route = self._routes.carry(plans, input_raw, charges, decimals=decimals[quote])
        if route is None:
            return None
        shared = [
            _parts_of(members, plan.parts(amount_raw), decimals)
            for members, plan, amount_raw in zip(used, plans, route.amounts_raw, strict=False)
        ]
        return ConfirmedSplit(route=route, more_quote=Decimal(0), legs=tuple(shared))


def _is_shared(legs: Sequence[Sequence[object]]) -> bool:
    return any(len(leg) > 1 for leg in legs)


def _parts_of(
    members: Sequence[Member], parts: Sequence[Part], decimals: Mapping[AssetCode, int]
) -> tuple[PlacePart, ...]:
    whole_raw = sum(part.input_raw for part in parts)
    shown = []
    for part in sorted(parts, key=lambda part: part.input_raw, reverse=True):
        place = members[part.member].place
        shown.append(
            PlacePart(
                place=place,
                amount_in=Decimal(part.input_raw).scaleb(-decimals[place.source]),
                amount_out=Decimal(part.output_raw).scaleb(-decimals[place.target]),
                share_ratio=part.input_raw / whole_raw,
            )
        )
    return tuple(shown)
