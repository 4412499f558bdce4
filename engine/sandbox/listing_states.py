"""What a venue's instrument list says now: markets that halt, come, go or change their rules.

The recordings play on all the while; only what the venue tells of them, and serves, is another.
"""

from dataclasses import replace
from decimal import Decimal

import msgspec

from engine.domain.errors import BadValueError
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.fault_script import EVERY
from engine.sandbox.lineup import Listing
from engine.sandbox.stage import Stage


class ListingChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A change of what a venue lists; what is not given stays as it is.

    Attributes:
        instrument: wire name, all by default.
        state: the venue's own word for a market that may not be traded, empty for one that may.
        is_listed: whether the venue has the instrument at all.
        tick, lot, size_min, notional_min: its rules.
        is_page: whether the venue's REST answers everything with a page about its maintenance.
    """

    venue: str
    instrument: str = EVERY
    state: str | None = None
    is_listed: bool | None = None
    tick: Decimal | None = None
    lot: Decimal | None = None
    size_min: Decimal | None = None
    notional_min: Decimal | None = None
    is_page: bool | None = None


def change_listing(stage: Stage, change: ListingChange) -> None:
    """Make a change; clients that asked for the states of markets are told with the next ones.

    Raises:
        SandboxStartError: the venue or instrument does not exist here, or a rule is none.
    """
    market = stage.markets.get(change.venue)
    if market is None:
        raise SandboxStartError(f"unknown venue {change.venue!r}")
    found = [
        listing
        for listing in market.every_listing()
        if change.instrument in (EVERY, listing.wire_name)
    ]
    if not found:
        raise SandboxStartError(f"unknown instrument {change.instrument!r} at {change.venue}")
    for listing in found:
        _change(listing, change)
    if change.is_page is not None:
        market.is_page = change.is_page


def _change(listing: Listing, change: ListingChange) -> None:
    if change.state is not None:
        listing.state = change.state
    if change.is_listed is not None:
        listing.is_listed = change.is_listed
    rules = listing.rules
    try:
        listing.rules = replace(
            rules,
            tick_quote=rules.tick_quote if change.tick is None else change.tick,
            lot_base=rules.lot_base if change.lot is None else change.lot,
            size_min_base=rules.size_min_base if change.size_min is None else change.size_min,
            notional_min_quote=(
                rules.notional_min_quote if change.notional_min is None else change.notional_min
            ),
        )
    except BadValueError as error:
        raise SandboxStartError(str(error)) from error
