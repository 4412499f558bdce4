"""What is switched off, as decisions look it up: a set for the venues, one for the pairs."""

from collections.abc import Sequence

from engine.domain.mandates import Scope, ScopeKind
from engine.domain.opportunities import Hop
from engine.domain.switched_off import Off, PlaceKind


class OffList:
    """What the operator has switched off; it is replaced as a whole, between inputs alone.

    Attributes:
        all: in the order in which it was switched off.
    """

    def __init__(self, off: Sequence[Off] = ()) -> None:
        self.take(off)

    def take(self, off: Sequence[Off]) -> None:
        """Take all that is off."""
        self.all = tuple(off)
        self._venues = frozenset(one.name for one in off if one.kind is PlaceKind.VENUE)
        pairs = [one.assets for one in off if one.kind is PlaceKind.PAIR]
        self._turns = frozenset(turn for pair in pairs for turn in (pair, pair[::-1]))

    def find(self, kind: PlaceKind, name: str) -> Off | None:
        """Return what is off by this name, None if it is on."""
        return next((one for one in self.all if one.key == (kind, name)), None)

    def of_route(self, hops: Sequence[Hop]) -> str:
        """Say what of a route is off, nothing if it is on as a whole."""
        for hop in hops:
            if hop.venue in self._venues:
                return f"{PlaceKind.VENUE} {hop.venue}"
            if (hop.source, hop.target) in self._turns:
                return f"{PlaceKind.PAIR} {self._pair_of(hop)}"
        return ""

    def of_scope(self, scope: Scope) -> str:
        """Say what is off of a scope that names it, nothing if there is none.

        One that names neither venue nor pair stays: its other trades are not switched off.
        """
        for one in self.all:
            names = {one.name} if one.kind is PlaceKind.VENUE else set(_names(one))
            if scope.kind is ScopeKind.ROUTE:
                is_touched = any(_is_leg_of(leg, one) for leg in scope.name.split())
            else:
                is_touched = scope.kind.value == one.kind.value and scope.name in names
            if is_touched:
                return f"{one.kind} {one.name}"
        return ""

    def _pair_of(self, hop: Hop) -> str:
        ends = {hop.source, hop.target}
        return next(one.name for one in self.all if set(one.assets) == ends)


def _names(pair: Off) -> tuple[str, str]:
    base, quote = pair.assets
    return f"{base}-{quote}", f"{quote}-{base}"


def _is_leg_of(leg: str, one: Off) -> bool:
    """Say whether a leg of a route's name (``venue/place:source-target``) is of what is off."""
    if one.kind is PlaceKind.VENUE:
        return leg.startswith(f"{one.name}/")
    return leg.endswith(tuple(f":{name}" for name in _names(one)))
