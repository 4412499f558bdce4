"""Which routes are books and one transaction, and how often one goes to another place."""

import pytest

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.mixed_routes import custody_changes, pool_run, why_not_mixed
from engine.domain.opportunities import Hop, HopKind


def hops_of(*places: str) -> list[Hop]:
    """Make a cycle: ``a`` is a book of that venue, ``uni@base`` a pool, ``>`` a bridge."""
    kinds = [
        HopKind.BRIDGE if one == ">" else HopKind.POOL if "@" in one else HopKind.BOOK
        for one in places
    ]
    return [
        Hop(
            kind=kind,
            venue=VenueId(one),
            place=one,
            row=0,
            source=AssetCode(f"A{number}"),
            target=AssetCode(f"A{(number + 1) % len(places)}"),
            amount_in=1.0,
            amount_out=1.0,
            frame_seq=1,
            chain=one.partition("@")[2],
        )
        for number, (one, kind) in enumerate(zip(places, kinds, strict=True))
    ]


@pytest.mark.parametrize(
    ("places", "run"),
    [
        (("a", "uni@base"), range(1, 2)),
        (("uni@base", "a"), range(1)),
        (("a", "uni@base", "sushi@base", "b"), range(1, 3)),
        (("uni@base", "sushi@base", "b", "a"), range(2)),
    ],
)
def test_books_and_pools_that_stand_together_are_orders_and_one_transaction(
    places: tuple[str, ...], run: range
) -> None:
    assert pool_run(hops_of(*places)) == run
    assert why_not_mixed(hops_of(*places)) == ""


@pytest.mark.parametrize(
    ("places", "why"),
    [
        (("a", "b"), "it has no pool"),
        (("uni@base", "sushi@base"), "it has no order book"),
        (("a", ">"), "it goes over a bridge"),
        (("a", "uni@base", ">", "uni@ethereum"), "it goes over a bridge"),
        (("a", "uni@base", "uni@ethereum"), "its pools are on 2 chains (base, ethereum)"),
        (
            ("uni@base", "a", "sushi@base"),
            "its pools are parted by order books, which would be two transactions",
        ),
    ],
)
def test_any_other_route_is_refused_in_words(places: tuple[str, ...], why: str) -> None:
    assert pool_run(hops_of(*places)) is None
    assert why_not_mixed(hops_of(*places)) == why


@pytest.mark.parametrize(
    ("places", "changes"),
    [
        (("a", "uni@base"), 2),
        (("a", "uni@base", "sushi@base"), 2),
        (("a", "uni@base", "b"), 3),
        (("a", "a", "uni@base"), 2),
    ],
)
def test_pools_of_one_chain_are_one_place_whatever_their_protocols(
    places: tuple[str, ...], changes: int
) -> None:
    assert custody_changes(hops_of(*places)) == changes
