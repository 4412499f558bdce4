"""Which few transfers would let routes be traded that want of balance refused. Pure; moves nothing.

A place needs something if routes of the last day were refused for want of balance, and draw more
on it than is free there now. A place gives what is over the greatest draw of any route on it, and
over what its trades took from it in all that day. Routes that a transfer would let through gain
what they were screened to gain, for as much of a day as is left once it has arrived; a transfer is
proposed if that is above its cost. What was drawn once is not counted on again: a day brings back
less than it takes, or nothing would be low.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination, destinations_of
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId

DAY_S: Final = 86_400
TRANSFERS_MAX: Final = 3
"""Most that are proposed at once: a person does each by hand."""

MISSED_MAX: Final = 200
"""Refused routes that are looked at, those of the most worth: others would only add to a gain."""

_ZERO: Final = Decimal(0)


class TransferTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What a transfer costs and how long it takes, by asset and for all others.

    Attributes:
        usd_by_asset, minutes_by_asset: for assets that differ.
    """

    usd: Decimal = Decimal(5)
    minutes: Decimal = Decimal(30)
    usd_by_asset: Mapping[AssetCode, Decimal] = {}
    minutes_by_asset: Mapping[AssetCode, Decimal] = {}

    def cost_usd(self, asset: AssetCode) -> Decimal:
        """Return what a transfer of an asset costs."""
        return self.usd_by_asset.get(asset, self.usd)

    def left_ratio(self, asset: AssetCode) -> Decimal:
        """Return how much of a day is left once a transfer has arrived."""
        taken_s = 60 * self.minutes_by_asset.get(asset, self.minutes)
        return max(1 - taken_s / DAY_S, _ZERO)


class Draws(msgspec.Struct, frozen=True, kw_only=True):
    """What a route of the last day draws on its places, and brings to them.

    Attributes:
        given, received: venue, asset and amount of each leg.
        usd: what it was screened to gain.
        is_missed: it was refused for want of balance; else it was planned.
    """

    given: tuple[tuple[VenueId, AssetCode, Decimal], ...]
    received: tuple[tuple[VenueId, AssetCode, Decimal], ...]
    usd: Decimal
    is_missed: bool


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer that would pay.

    Attributes:
        gain_usd: what the routes would have gained that it lets through, in what is left of a day.
        routes: how many.
        to: addresses that the operator wrote down for it; a proposal names no others.
    """

    asset: AssetCode
    source: VenueId
    target: VenueId
    amount: Decimal
    gain_usd: Decimal
    cost_usd: Decimal
    minutes: Decimal
    routes: int
    to: tuple[Destination, ...] = ()


def propose(
    free: Mapping[Place, Decimal],
    routes: Sequence[Draws],
    terms: TransferTerms,
    *,
    allowed: Collection[Destination] = (),
    most: int = TRANSFERS_MAX,
) -> list[Transfer]:
    """Return the transfers that gain most after their cost, the best first.

    Args:
        free: what is there and not reserved, by place.
        routes: of the last day.
        terms: what transfers cost and take.
        allowed: addresses that may be named.
        most: transfers that are proposed.
    """
    kept = _kept(routes)
    spare = {place: amount - kept.get(place, _ZERO) for place, amount in free.items()}
    left = dict(free)
    missed = sorted((one for one in routes if one.is_missed), key=lambda one: -one.usd)
    missed = [one for one in missed if one.usd > 0 and _short_of(one, free)][:MISSED_MAX]
    found: list[Transfer] = []
    gave: set[Place] = set()
    while len(found) < most:
        best: tuple[Transfer, list[Draws]] | None = None
        # What gave something gets nothing: it would only go round.
        for target in sorted(_wanting(missed, left) - gave):
            for source in sorted(spare):
                if source[1] != target[1] or source == target or spare[source] <= 0:
                    continue
                tried = _try(
                    source,
                    target,
                    available=spare[source],
                    left=left,
                    missed=missed,
                    terms=terms,
                )
                if tried is not None and (best is None or _net(tried[0]) > _net(best[0])):
                    best = tried
        if best is None:
            break
        transfer, through = best
        to = destinations_of(allowed, venue=transfer.target, asset=transfer.asset)
        found.append(msgspec.structs.replace(transfer, to=to))
        source, target = (transfer.source, transfer.asset), (transfer.target, transfer.asset)
        gave.add(source)
        spare[source] -= transfer.amount
        left[source] -= transfer.amount
        left[target] = left.get(target, _ZERO) + transfer.amount
        for one in through:
            _draw(one, left)
        # What is drawn on has no more to give than is left; what needs something keeps all it has.
        spare = {place: min(amount, left.get(place, _ZERO)) for place, amount in spare.items()}
        gone = {id(one) for one in through}
        missed = [one for one in missed if id(one) not in gone]
    return found


def _try(
    source: Place,
    target: Place,
    *,
    available: Decimal,
    left: Mapping[Place, Decimal],
    missed: Iterable[Draws],
    terms: TransferTerms,
) -> tuple[Transfer, list[Draws]] | None:
    """Return the transfer between two places that lets most through, None if it would not pay."""
    room = {**left, target: left.get(target, _ZERO) + available}
    room[source] -= available
    through: list[Draws] = []
    for one in missed:
        if _drawn(one).get(target) and not _short_of(one, room):
            through.append(one)
            _draw(one, room)
    needed = sum((_drawn(one)[target] for one in through), _ZERO)
    amount = needed - left.get(target, _ZERO)
    asset = target[1]
    gain_usd = sum((one.usd for one in through), _ZERO) * terms.left_ratio(asset)
    cost_usd = terms.cost_usd(asset)
    if not 0 < amount <= available or gain_usd <= cost_usd:
        return None
    transfer = Transfer(
        asset=asset,
        source=source[0],
        target=target[0],
        amount=amount,
        gain_usd=gain_usd,
        cost_usd=cost_usd,
        minutes=terms.minutes_by_asset.get(asset, terms.minutes),
        routes=len(through),
    )
    return transfer, through


def _kept(routes: Iterable[Draws]) -> dict[Place, Decimal]:
    """Return what each place keeps: the most that one route draws, or what all of them took."""
    greatest: dict[Place, Decimal] = {}
    taken: dict[Place, Decimal] = {}
    for one in routes:
        for place, amount in _drawn(one).items():
            greatest[place] = max(greatest.get(place, _ZERO), amount)
            if not one.is_missed:
                taken[place] = taken.get(place, _ZERO) + amount
        for venue, asset, amount in () if one.is_missed else one.received:
            taken[venue, asset] = taken.get((venue, asset), _ZERO) - amount
    return {
        place: max(greatest.get(place, _ZERO), taken.get(place, _ZERO))
        for place in greatest.keys() | taken.keys()
    }


def _drawn(route: Draws) -> dict[Place, Decimal]:
    """Return what a route draws on each of its places in all."""
    drawn: dict[Place, Decimal] = {}
    for venue, asset, amount in route.given:
        drawn[venue, asset] = drawn.get((venue, asset), _ZERO) + amount
    return drawn


def _draw(route: Draws, room: dict[Place, Decimal]) -> None:
    for place, amount in _drawn(route).items():
        room[place] = room.get(place, _ZERO) - amount


def _short_of(route: Draws, free: Mapping[Place, Decimal]) -> list[Place]:
    """Return the places that do not cover what a route draws on them."""
    return [place for place, amount in _drawn(route).items() if amount > free.get(place, _ZERO)]


def _wanting(missed: Iterable[Draws], free: Mapping[Place, Decimal]) -> set[Place]:
    """Return the places that routes were refused for."""
    return {place for one in missed for place in _short_of(one, free)}


def _net(transfer: Transfer) -> Decimal:
    return transfer.gain_usd - transfer.cost_usd
