"""A route again, each leg shared among its parallel places as long as each of them pays for itself.

Sized in floats when somebody asks for it, never on the way from a frame to a decision: it reads
copies, and `quote.split` carries what is found through in whole numbers.
"""

from collections import Counter
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from engine.detect.graph.places import Place, is_on_one_chain, venue_changes
from engine.detect.graph.pool_sides import PoolSide
from engine.detect.graph.screen_terms import Screen
from engine.detect.sizing.pieces import Pieces
from engine.detect.sizing.routes import RouteTerms, SideTables, size
from engine.detect.splitting.shares import merge, split
from engine.domain.errors import BadValueError
from engine.domain.opportunities import HopKind
from engine.domain.units import BPS_PER_UNIT

TRIES_MAX: Final = 32
"""Most members that one search tries to do without; each try is a sizing."""

SHARE_MIN: Final = 1e-9
"""Of a leg's input; a member that takes less is not used."""

Result = TypeVar("Result")
Steps = Generator[None, None, Result]
"""Long work in steps: it yields wherever something more urgent may go first."""

Chosen = tuple[tuple[int, ...], ...]
"""Which members of each leg may be used, by their positions."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Member:
    """A place that a leg may use.

    Attributes:
        side: its pieces, or the direction of a pool; a curve is one too.
        fixed_cost: of its use, whatever the size, in units of the asset that the route starts in.
    """

    place: Place
    side: Pieces | PoolSide
    fixed_cost: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitTerms:
    """What a route costs in proportion to its input.

    Attributes:
        edge_ratio_min: what every unit must gain beyond all costs.
        flash_ratio: of a route through pools of one chain.
        transfer_ratio: of any other that leaves a venue and comes back; half of it for each of
            `places.venue_changes`.
    """

    edge_ratio_min: float
    flash_ratio: float = 0.0
    transfer_ratio: float = 0.0

    def charged_ratio(self, legs: Sequence[Sequence[Place]]) -> float:
        """Return what is charged on the input of a route through these places."""
        if is_on_one_chain(legs):
            return self.edge_ratio_min + self.flash_ratio
        return self.edge_ratio_min + 0.5 * venue_changes(legs) * self.transfer_ratio


def split_terms(screen: Screen, transfer_bps: Decimal) -> SplitTerms:
    """Return the terms that routes are screened at."""
    return SplitTerms(
        edge_ratio_min=screen.edge_ratio_min,
        flash_ratio=float(screen.flash_fee_bps) / BPS_PER_UNIT,
        transfer_ratio=float(transfer_bps) / BPS_PER_UNIT,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SizedSplit:
    """A route with shared legs at its optimum, in units of the asset that it starts in.

    Attributes:
        used: of each leg the members that take something, and how much of its source.
        net: the gain less all costs, the least edge of every unit among them.
    """

    chosen: Chosen
    used: tuple[tuple[tuple[int, float], ...], ...]
    input: float
    net: float


class SplitSearch:
    """The members of a route's legs, the first of each leg being the route's own place."""

    def __init__(self, legs: Sequence[Sequence[Member]], terms: SplitTerms) -> None:
        """Make tables of all members.

        Raises:
            BadValueError: a side that is of no concave function, or too many in one leg.
        """
        self._legs = legs
        self._terms = terms
        self._tables = [SideTables() for _ in legs]
        for leg, tables in zip(legs, self._tables, strict=True):
            for member in leg:
                _add(tables, member.side)
        self._merged: dict[tuple[int, tuple[int, ...]], Pieces] = {}

    def single(self) -> SizedSplit | None:
        """Return the route through its own places alone; `None` if it gains nothing."""
        return self._size(tuple((0,) for _ in self._legs))

    def best(self) -> SizedSplit | None:
        """Return what `search` comes to, without a pause."""
        return finish(self.search())

    def search(self) -> Steps[SizedSplit | None]:
        """Find the best over all members, a sizing a step; `None` if nothing is gained.

        The search starts with all of them, and where that is charged less, with those at the own
        places' venues alone and with pools of one chain alone. No place is used twice. Then what
        does not pay its own costs is dropped, the least shares first, until the route would lose
        by doing without any one that is left, or TRIES_MAX are tried.
        """
        found = []
        for start in self._starts():
            held = yield from self._refined(start)
            if held is not None:
                found.append(held)
        return max(found, key=lambda held: held.net, default=None)

    def _starts(self) -> Iterator[Chosen]:
        everything: Chosen = tuple(tuple(range(len(leg))) for leg in self._legs)
        charged = self._charged(everything)
        yield everything
        near: Chosen = tuple(
            tuple(i for i, one in enumerate(leg) if one.place.venue == leg[0].place.venue)
            for leg in self._legs
        )
        chains = {one.place.chain: None for one in self._legs[0] if one.place.kind is HopKind.POOL}
        pools: list[Chosen] = [
            tuple(
                tuple(
                    i
                    for i, one in enumerate(leg)
                    if one.place.kind is HopKind.POOL and one.place.chain == chain
                )
                for leg in self._legs
            )
            for chain in chains
        ]
        for start in (near, *pools):
            if all(start) and start != everything and self._charged(start) < charged:
                yield start

    def _refined(self, start: Chosen) -> Steps[SizedSplit | None]:
        held = self._size(start)
        yield
        while held is not None and (twice := self._used_twice(held)):
            without = []
            for leg, member in twice:
                without.append(self._without(held, leg, member))
                yield
            held = max(filter(None, without), key=lambda one: one.net, default=None)
        if held is None:
            return None
        return (yield from self._without_losers(held))

    def _without_losers(self, held: SizedSplit) -> Steps[SizedSplit]:
        tries = 0
        is_better = True
        while is_better:
            is_better = False
            for _, leg, member in sorted(self._costly(held))[: TRIES_MAX - tries]:
                tries += 1
                tried = self._without(held, leg, member)
                yield
                if tried is not None and tried.net > held.net and not self._used_twice(tried):
                    held, is_better = tried, True
                    break
        return held

    def _costly(self, held: SizedSplit) -> Iterator[tuple[float, int, int]]:
        """Yield share, leg and member of what makes the route dearer and could be left out."""
        for leg, used in enumerate(held.used):
            whole = sum(amount for _, amount in used)
            for member, amount in used if len(held.chosen[leg]) > 1 else ():
                has_own_cost = self._legs[leg][member].fixed_cost > 0.0
                if has_own_cost or self._is_charged_less_without(held, leg, member):
                    yield amount / whole, leg, member

    def _is_charged_less_without(self, held: SizedSplit, leg: int, member: int) -> bool:
        used = _members_of(held)
        others = _but(used, leg, member)
        return all(others) and self._charged(others) < self._charged(used)

    def _used_twice(self, held: SizedSplit) -> list[tuple[int, int]]:
        """Return the first place that several legs use, as leg and member of each."""
        places = [
            (self._legs[leg][member].place, leg, member)
            for leg, used in enumerate(held.used)
            for member, _ in used
        ]
        counts = Counter((place.kind, place.row) for place, _, _ in places)
        for key, count in counts.items():
            if count > 1:
                return [(leg, member) for one, leg, member in places if (one.kind, one.row) == key]
        return []

    def _without(self, held: SizedSplit, leg: int, member: int) -> SizedSplit | None:
        chosen = _but(held.chosen, leg, member)
        return self._size(chosen) if all(chosen) else None

    def _charged(self, chosen: Chosen) -> float:
        places = [
            [leg_members[member].place for member in members]
            for leg_members, members in zip(self._legs, chosen, strict=True)
        ]
        return self._terms.charged_ratio(places)

    def _size(self, chosen: Chosen) -> SizedSplit | None:
        """Size a route over the chosen members.

        It is charged by all that are chosen; if some of them take nothing, it costs less.
        """
        tables = SideTables()
        cycle = [self._add_leg(tables, leg, members) for leg, members in enumerate(chosen)]
        charged = self._charged(chosen)
        sized = size(tables, cycle, RouteTerms(flash_fee_ratio=charged))
        if sized is None:
            return None
        used, amount = [], sized.input
        for held, members in zip(self._tables, chosen, strict=True):
            shared = split(held, members, amount)
            if shared is None:
                return None
            used.append(
                tuple(
                    (member, share)
                    for member, share in zip(members, shared.shares, strict=True)
                    if share > SHARE_MIN * amount
                )
            )
            amount = shared.output
        fixed_cost = sum(
            leg_members[member].fixed_cost
            for leg_members, one in zip(self._legs, used, strict=True)
            for member, _ in one
        )
        found = SizedSplit(
            chosen=chosen, used=tuple(used), input=sized.input, net=sized.profit - fixed_cost
        )
        # With fewer venues the same places may be charged less, and more of them is best then.
        if self._charged(_members_of(found)) < charged:
            return self._size(_members_of(found))
        return found

    def _add_leg(self, tables: SideTables, leg: int, members: tuple[int, ...]) -> int:
        leg_members = self._legs[leg]
        if len(members) > 1 and all(
            _pieces_of(leg_members[member].side) is not None for member in members
        ):
            pieces = self._merged.get((leg, members))
            if pieces is None:
                pieces = merge(self._tables[leg], members)
                if pieces is None:
                    raise BadValueError(f"leg {leg}: none of its places gives anything")
                self._merged[leg, members] = pieces
            return tables.add_pieces(pieces)
        rows = [_add(tables, leg_members[member].side) for member in members]
        return rows[0] if len(rows) == 1 else tables.add_group(rows)


def finish(steps: Steps[Result]) -> Result:
    """Go through all steps without a pause; return what they come to."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result


def _members_of(held: SizedSplit) -> Chosen:
    return tuple(tuple(member for member, _ in used) for used in held.used)


def _but(chosen: Chosen, leg: int, member: int) -> Chosen:
    left = tuple(one for one in chosen[leg] if one != member)
    return (*chosen[:leg], left, *chosen[leg + 1 :])


def _pieces_of(side: Pieces | PoolSide) -> Pieces | None:
    return side.pieces if isinstance(side, PoolSide) else side


def _add(tables: SideTables, side: Pieces | PoolSide) -> int:
    pieces = _pieces_of(side)
    if pieces is not None:
        return tables.add_pieces(pieces)
    assert isinstance(side, PoolSide)
    return tables.add_curve(side.form, side.row, token_in=side.token_in, token_out=side.token_out)
