"""Which venues and pairs a run has, as the operator names them, and what venues charge."""

from difflib import get_close_matches
from typing import Final

from engine.bus.place_reports import FeeLine, FeesReport, PlaceLine, PlacesReport
from engine.bus.reports import Declined
from engine.detect.graph.live_graph import BRIDGE
from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.switched_off import Off, PlaceKind
from engine.operate.core_parts import Core

_NAMED_MAX: Final = 8
_NEAR: Final = 0.5


def find_place(core: Core, kind: PlaceKind, said: str, *, at_ns: int) -> Off | Declined:
    """Return a venue or pair of the run as what would be off from now on, or say that it has none.

    Letters may be of any case, and a pair's assets in either order: what is named is the same.
    """
    known = _known(core, kind)
    for name, assets in known.items():
        names = {name, "-".join(reversed(assets)) or name}
        if said.lower() in {one.lower() for one in names}:
            return Off(name=name, assets=assets, since_ns=at_ns)
    by_lower = {name.lower(): name for name in known}
    near = get_close_matches(said.lower(), by_lower, n=1, cutoff=_NEAR)
    shown = sorted(known)[:_NAMED_MAX]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return Declined(
        why=f"no {kind} {said} in this run; there are {', '.join(shown)}{more}",
        nearest=by_lower[near[0]] if near else "",
    )


def find_fee_venue(core: Core, said: str) -> VenueId | Declined:
    """Return a venue whose fee can be set, or say that there is none of this name."""
    found = find_place(core, PlaceKind.VENUE, said, at_ns=0)
    if isinstance(found, Declined):
        return found
    venue = VenueId(found.name)
    if venue not in core.fees.by_settings:
        return Declined(
            why=f"{venue} has no fee to be set: a pool's is read from its chain, a bridge's cost"
            " is a setting"
        )
    return venue


def fees_report(core: Core) -> FeesReport:
    """Return all fees, those that the operator set first."""
    fees = core.fees
    lines = []
    for venue, bps in fees.in_force.items():
        word, told = fees.by_operator.get(venue), fees.told.get(venue)
        lines.append(
            FeeLine(
                venue=venue,
                bps=bps,
                by_settings=fees.by_settings[venue],
                since_ns=None if word is None else word.since_ns,
                word_bps=None if word is None else word.bps,
                told_bps=None if told is None else told.bps,
                told_at_ns=0 if told is None else told.read_at_ns,
                is_old=told is not None and told.is_old,
            )
        )
    return FeesReport(
        basis=core.basis,
        market_note=core.header.market_note,
        started_at_ns=core.started_at_ns,
        fees=sorted(lines, key=lambda line: line.since_ns is None),
    )


def places_report(core: Core, kind: PlaceKind) -> PlacesReport:
    """Return all of a kind, what is off first."""
    off = {one.name: one.since_ns for one in core.decider.off.all if one.kind is kind}
    on = [name for name in _known(core, kind) if name not in off]
    lines = [PlaceLine(name=name, off_since_ns=since_ns) for name, since_ns in off.items()]
    return PlacesReport(
        basis=core.basis,
        market_note=core.header.market_note,
        kind=kind,
        places=[*lines, *(PlaceLine(name=name) for name in on)],
    )


def _known(core: Core, kind: PlaceKind) -> dict[str, tuple[AssetCode, ...]]:
    """Return the names of a kind with their assets; what is off is known for ever."""
    known = _venues(core) if kind is PlaceKind.VENUE else _pairs(core)
    return {one.name: one.assets for one in core.decider.off.all if one.kind is kind} | known


def _venues(core: Core) -> dict[str, tuple[AssetCode, ...]]:
    books = [stream.venue for stream in core.header.streams]
    books += [one.venue for one in core.board.instruments]
    bridges = [BRIDGE] if core.header.bridges else []
    return dict.fromkeys([*books, *sorted(core.moving_pools.counts), *bridges], ())


def _pairs(core: Core) -> dict[str, tuple[AssetCode, ...]]:
    """Return the pairs of books, then those of pools that no book has."""
    found: dict[frozenset[AssetCode], tuple[AssetCode, ...]] = {}
    for instrument in core.board.instruments:
        pair = (instrument.pair.base, instrument.pair.quote)
        found.setdefault(frozenset(pair), pair)
    pools = {pool.assets for pool in core.moving_pools.terms.values()}
    for assets in sorted(pools):
        for at, base in enumerate(assets):
            for quote in assets[at + 1 :]:
                found.setdefault(frozenset((base, quote)), (base, quote))
    for bridge in core.header.bridges:
        found.setdefault(frozenset(bridge.assets), bridge.assets)
    return {"-".join(pair): pair for pair in found.values()}
