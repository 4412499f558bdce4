"""The specs of the venues of the list, each from its folder.

Fees are those of the entry tier and latencies are assumptions for paper mode; both are defaults
that the operator's settings override. In which asset a buy's fee is taken is as the venues document
it.
"""

from collections.abc import Mapping
from importlib import import_module

from engine.connectors.by_ccxt.names import exchange_of
from engine.connectors.venue_list import FEEDS
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.ports import VenueSpec


def spec_of(venue: str) -> VenueSpec:
    """Load one venue; what comes through ccxt is in no list.

    Raises:
        BadValueError: it is not in the list.
    """
    if exchange := exchange_of(venue):
        spec = import_module("engine.connectors.by_ccxt.spec").spec_by_ccxt(exchange)
    elif venue in FEEDS:
        spec = import_module(f"engine.connectors.venues.{venue}.spec").SPEC
    else:
        raise BadValueError(f"unknown venue {venue!r}; known: {', '.join(FEEDS)}")
    assert isinstance(spec, VenueSpec)
    return spec


def all_specs() -> Mapping[VenueId, VenueSpec]:
    """Load all venues, in the order of the list."""
    return {VenueId(venue): spec_of(venue) for venue in FEEDS}
