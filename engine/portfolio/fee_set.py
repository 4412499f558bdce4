"""The taker fees in force: those of the settings, and what the operator has set since."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

from engine.domain.errors import BadValueError
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.portfolio.costs import check_bps

DECIMALS_MAX: Final = 4
"""No venue has finer fees, and what is exact stays short."""

Follower = Callable[[Sequence[VenueId]], None]


class FeeSet:
    """What all that reckons with fees reads them from; nothing else holds one.

    It is changed between inputs alone, and says to whoever keeps a fee in a form of its own
    (`follow`) of which venues it changed.

    Attributes:
        by_settings: by venue of the run.
        in_force: by venue of the run; changed in place.
        by_operator: what the operator has set, of venues that are not in this run too: they may be
            in the next one.
    """

    def __init__(
        self,
        by_settings: Mapping[VenueId, Decimal],
        by_operator: Mapping[VenueId, FeeWord] | None = None,
    ) -> None:
        """Begin with the fees of the settings.

        Raises:
            BadValueError: a fee makes no sense.
        """
        self.by_settings = dict(by_settings)
        self.in_force = dict(by_settings)
        self.by_operator: Mapping[VenueId, FeeWord] = {}
        self._followers: tuple[Follower, ...] = ()
        self.take(by_operator or {})

    def follow(self, *followers: Follower) -> None:
        """Tell others of changes from now on."""
        self._followers = (*self._followers, *followers)

    def take(self, by_operator: Mapping[VenueId, FeeWord]) -> list[VenueId]:
        """Take what the operator has set in all; return the venues whose fee that changes.

        Raises:
            BadValueError: a fee makes no sense; then all stays as it was.
        """
        wanted = self._wanted(by_operator)
        changed = [venue for venue, bps in wanted.items() if self.in_force[venue] != bps]
        self.in_force.update(wanted)
        self.by_operator = dict(by_operator)
        if changed:
            for follower in self._followers:
                follower(changed)
        return changed

    def is_looser(self, by_operator: Mapping[VenueId, FeeWord]) -> bool:
        """Say whether any fee would be lower than now, were this all that is set."""
        wanted = self._wanted(by_operator)
        return any(wanted[venue] < held for venue, held in self.in_force.items())

    def with_one(
        self, venue: VenueId, bps: Decimal | None, *, at_ns: int
    ) -> dict[VenueId, FeeWord]:
        """Return what the operator has set once this is, too; None takes an earlier word back.

        Raises:
            BadValueError: it cannot be set, in words for the operator.
        """
        by_settings = self.by_settings[venue]
        others = {other: word for other, word in self.by_operator.items() if other != venue}
        if bps is None:
            return others
        check_bps(bps, what=f"taker fee of {venue}")
        if bps != round(bps, DECIMALS_MAX):
            raise BadValueError(
                f"taker fee of {venue} is {bps} bps; it may have {DECIMALS_MAX} decimals at most"
            )
        return {**others, venue: FeeWord(bps=bps, instead_of_bps=by_settings, since_ns=at_ns)}

    def _wanted(self, by_operator: Mapping[VenueId, FeeWord]) -> dict[VenueId, Decimal]:
        wanted = dict(self.by_settings)
        for venue, word in by_operator.items():
            if venue in wanted:
                check_bps(word.bps, what=f"taker fee of {venue}")
                wanted[venue] = word.in_force(wanted[venue])
        return wanted
