"""The taker fees in force: of the account's own tier, of the settings, as the operator set them.

A venue's word on our tier counts for two hours, then the settings' fee does; no fee is lower than
the last word, nor than what the operator set. A word of no fee at all lowers none: the first trades
of a month may be free, and the next are not.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Final

from engine.domain.errors import BadValueError
from engine.domain.fees import FeeWord
from engine.domain.instruments import VenueId
from engine.domain.units import NS_PER_S
from engine.portfolio.costs import check_bps

DECIMALS_MAX: Final = 4
"""No venue has finer fees, and what is exact stays short."""

TOLD_S_MAX: Final = 7_200
"""So long a venue's word counts; it is asked anew twice in that time."""

NEVER_NS: Final = 1 << 62

Follower = Callable[[Sequence[VenueId]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldFee:
    """A venue's word on the taker fee of our tier.

    Attributes:
        bps: the dearest of those that it told.
        read_at_ns: when it was read there.
        is_old: it was read too long ago to lower a fee.
    """

    bps: Decimal
    read_at_ns: int
    is_old: bool

    def in_force(self, held_bps: Decimal, *, is_floor: bool) -> Decimal:
        """Return the fee that holds beside another one, which is a floor if a person set it."""
        is_doubted = self.is_old or is_floor or not self.bps
        return max(held_bps, self.bps) if is_doubted else self.bps


class FeeSet:
    """What all that reckons with fees reads them from; nothing else holds one.

    It is changed between inputs alone, and says to whoever keeps a fee in a form of its own
    (`follow`) of which venues it changed.

    Attributes:
        by_settings: by venue of the run.
        in_force: by venue of the run; changed in place.
        by_operator: what the operator has set, of venues that are not in this run too: they may be
            in the next one.
        told: by venue, of those that told a fee in this run.
        ends_at_ns: when the next word gets too old; to be looked at with time.
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
        self.told: dict[VenueId, ToldFee] = {}
        self.ends_at_ns = NEVER_NS
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
        self.by_operator = dict(by_operator)
        return self._hold(wanted)

    def hear(self, venue: VenueId, bps: Decimal, read_at_ns: int, at_ns: int) -> list[VenueId]:
        """Take a venue's word on our tier; return the venues whose fee that changes.

        A word that makes no sense, or of a venue that is not in this run, changes nothing.
        """
        if venue not in self.by_settings:
            return []
        try:
            check_bps(bps, what=f"taker fee that {venue} told")
        except BadValueError:
            return []
        told = ToldFee(
            bps=bps.quantize(Decimal(1).scaleb(-DECIMALS_MAX), ROUND_CEILING),
            read_at_ns=min(read_at_ns, at_ns),
            is_old=False,
        )
        if told == self.told.get(venue):
            return []
        self.told[venue] = told
        return self.grow_old(at_ns)

    def grow_old(self, at_ns: int) -> list[VenueId]:
        """Let words that were read too long ago count no more; return whose fee that changes."""
        for venue, told in self.told.items():
            if not told.is_old and at_ns >= told.read_at_ns + TOLD_S_MAX * NS_PER_S:
                self.told[venue] = replace(told, is_old=True)
        self._set_end()
        return self._hold(self._wanted(self.by_operator))

    def step_clock(self, step_ns: int) -> None:
        """Keep all words as old as they are, whatever the clock was set by."""
        for venue, told in self.told.items():
            self.told[venue] = replace(told, read_at_ns=told.read_at_ns + step_ns)
        self._set_end()

    def _set_end(self) -> None:
        fresh = [one.read_at_ns for one in self.told.values() if not one.is_old]
        self.ends_at_ns = min(fresh) + TOLD_S_MAX * NS_PER_S if fresh else NEVER_NS

    def _hold(self, wanted: Mapping[VenueId, Decimal]) -> list[VenueId]:
        changed = [venue for venue, bps in wanted.items() if self.in_force[venue] != bps]
        self.in_force.update(wanted)
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
        for venue, told in self.told.items():
            wanted[venue] = told.in_force(wanted[venue], is_floor=venue in by_operator)
        return wanted
