"""A leg through several places at once in whole raw units, an exact leg like any other.

A plan is made at one amount: books take whole lots of their shares, the coarsest lots first, so
that what they leave is taken by finer ones; pools take the rest. At another amount the books that
were planned stay as they are, and what is more or less falls to the pools in proportion, or to the
book of the finest lots where there is no pool. Shares never sum up to more than the leg's input.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from engine.detect.sizing.exact import ExactLeg
from engine.domain.errors import BadValueError
from engine.market.book_leg import OrderBookLeg
from engine.pools.integers import divide_up
from engine.pools.search import most_amount_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one place of a leg takes and gives, in raw units; `member` is its position."""

    member: int
    leg: ExactLeg
    input_raw: int
    output_raw: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitLeg:
    """Parts that stay as planned, and parts that share what is left; `plan_leg` makes one."""

    fixed: tuple[Part, ...]
    free: tuple[Part, ...]

    def parts(self, amount_in_raw: int) -> tuple[Part, ...]:
        """Return what each place takes of an input, and gives for it.

        Raises:
            BadValueError: an input that one of the places does not take.
        """
        shared = [
            _part(part.member, part.leg, share_raw)
            for part, share_raw in self._shares(amount_in_raw)
        ]
        return (*self.fixed, *shared)

    def amount_out(self, amount_in_raw: int) -> int:
        """Return what all places give together for an input, each floored.

        Raises:
            BadValueError: an input that one of the places does not take.
        """
        shared = (part.leg.amount_out(share_raw) for part, share_raw in self._shares(amount_in_raw))
        return sum(part.output_raw for part in self.fixed) + sum(shared)

    def amount_taken(self, amount_in_raw: int) -> int:
        """Return the most of an input that all places take."""
        return most_amount_in(self.amount_out, amount_in_raw)

    def amount_in(self, amount_out_raw: int) -> int:
        """Return an input that gives about an output: each place asks what its part of it does.

        At the planned output it is the least such input of the same shares.

        Raises:
            BadValueError: an output that the places do not give so.
        """
        left = amount_out_raw - sum(part.output_raw for part in self.fixed)
        whole = sum(part.output_raw for part in self.free)
        paid = sum(part.input_raw for part in self.fixed)
        for part in self.free:
            paid += part.leg.amount_in(divide_up(max(left, 0) * part.output_raw, whole))
        return paid

    def _shares(self, amount_in_raw: int) -> Iterator[tuple[Part, int]]:
        left = amount_in_raw - sum(part.input_raw for part in self.fixed)
        whole = sum(part.input_raw for part in self.free)
        for part in self.free:
            share_raw = left * part.input_raw // whole
            left, whole = left - share_raw, whole - part.input_raw
            yield part, share_raw


def plan_leg(legs: Sequence[ExactLeg], shares: Sequence[float], amount_in_raw: int) -> SplitLeg:
    """Share an input among places; those that would take or give nothing are left out.

    Args:
        legs: the places.
        shares: what each is to take, in any unit.
        amount_in_raw: the input.

    Raises:
        BadValueError: no place takes any of it.
    """
    order = sorted(range(len(legs)), key=lambda member: _coarseness(legs[member]), reverse=True)
    whole = Fraction(sum(shares))
    if not whole:
        raise BadValueError(f"shares {list(shares)} of a leg; one must be positive")
    fixed: list[Part] = []
    free: list[Part] = []
    spent_raw = 0
    ends = accumulate(Fraction(shares[member]) for member in order)
    for member, end in zip(order, ends, strict=True):
        leg = legs[member]
        # Up to where its share ends, less what the ones before spent of theirs.
        left_raw = min(int(amount_in_raw * end / whole), amount_in_raw) - spent_raw
        try:
            part = _part(member, leg, leg.amount_taken(left_raw))
        except BadValueError:
            continue
        if part.output_raw > 0:
            spent_raw += part.input_raw
            (fixed if isinstance(leg, OrderBookLeg) else free).append(part)
    if not free and fixed:
        free = [fixed.pop()]
    if not free:
        raise BadValueError(f"none of {len(legs)} places takes any of {amount_in_raw} raw units")
    return SplitLeg(fixed=tuple(fixed), free=tuple(free))


def _coarseness(leg: ExactLeg) -> int:
    return leg.lot_raw if isinstance(leg, OrderBookLeg) else 0


def _part(member: int, leg: ExactLeg, amount_raw: int) -> Part:
    # An order spends whole lots; a pool takes what it is given.
    spent_raw = leg.amount_spent(amount_raw) if isinstance(leg, OrderBookLeg) else amount_raw
    return Part(member=member, leg=leg, input_raw=spent_raw, output_raw=leg.amount_out(amount_raw))
