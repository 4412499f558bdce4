"""Transfers are proposed where they pay, out of what is over, and nowhere else."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from engine.domain.assets import AssetCode
from engine.domain.destinations import Destination
from engine.domain.holdings import Place
from engine.domain.instruments import VenueId
from engine.domain.rebalancing import Draws, Transfer, TransferTerms, propose
from tests.effort import examples

A, B, C = (VenueId(name) for name in ("alpha", "beta", "gamma"))
USD, BTC = AssetCode("USD"), AssetCode("BTC")
TERMS = TransferTerms(usd=Decimal(5), minutes=Decimal(0))


def gap(
    buy: VenueId,
    sell: VenueId,
    *,
    usd: str = "100",
    btc: str = "1",
    gain: str = "10",
    is_missed: bool = True,
) -> Draws:
    dollars, coins = Decimal(usd), Decimal(btc)
    return Draws(
        given=((buy, USD, dollars), (sell, BTC, coins)),
        received=((buy, BTC, coins), (sell, USD, dollars)),
        usd=Decimal(gain),
        is_missed=is_missed,
    )


def held(**amounts: str) -> dict[Place, Decimal]:
    """Return what is free, as ``alpha_USD="5"``."""
    found = {}
    for name, amount in amounts.items():
        venue, _, asset = name.partition("_")
        found[VenueId(venue), AssetCode(asset)] = Decimal(amount)
    return found


def test_what_a_refused_route_lacked_is_proposed_from_where_it_is_over() -> None:
    free = held(alpha_USD="0", alpha_BTC="9", beta_USD="900", beta_BTC="9")

    (found,) = propose(free, [gap(A, B)], TERMS)

    assert found == Transfer(
        asset=USD,
        source=B,
        target=A,
        amount=Decimal(100),
        gain_usd=Decimal(10),
        cost_usd=Decimal(5),
        minutes=Decimal(0),
        routes=1,
    )


def test_a_proposal_names_the_addresses_of_its_place_and_asset_and_no_others() -> None:
    free = held(alpha_USD="0", alpha_BTC="9", beta_USD="900", beta_BTC="9")
    allowed = [
        Destination(venue=venue, asset=asset, chain="base", address=f"0x{number}")
        for number, (venue, asset) in enumerate([(B, USD), (A, BTC), (A, USD), (C, USD)])
    ]

    (found,) = propose(free, [gap(A, B)], TERMS, allowed=allowed)

    assert [one.address for one in found.to] == ["0x2"]


def test_nothing_is_proposed_for_what_is_not_above_its_cost() -> None:
    free = held(alpha_USD="0", beta_USD="900", beta_BTC="9")

    assert propose(free, [gap(A, B, gain="5")], TERMS) == []
    assert len(propose(free, [gap(A, B, gain="5"), gap(A, B, gain="1")], TERMS)) == 1


def test_the_longer_a_transfer_takes_the_less_it_gains() -> None:
    free = held(alpha_USD="0", beta_USD="900", beta_BTC="9")
    half, whole = (TransferTerms(usd=Decimal(4), minutes=Decimal(one)) for one in (720, 1_440))

    (found,) = propose(free, [gap(A, B)], half)

    assert found.gain_usd == 5
    assert propose(free, [gap(A, B)], whole) == []


def test_a_route_that_is_covered_now_needs_nothing() -> None:
    free = held(alpha_USD="100", beta_USD="900", beta_BTC="9")

    assert propose(free, [gap(A, B)], TERMS) == []


def test_a_transfer_that_leaves_another_leg_without_its_money_gains_nothing() -> None:
    free = held(alpha_USD="0", beta_USD="900", beta_BTC="0")

    assert propose(free, [gap(A, B)], TERMS) == []


def test_what_gave_something_is_given_nothing() -> None:
    free = held(alpha_USD="-1", beta_USD="40", gamma_USD="500")
    two = Draws(
        given=((A, USD, Decimal(10)), (B, USD, Decimal(20))),
        received=(),
        usd=Decimal(100),
        is_missed=True,
    )
    later = Draws(
        given=((A, USD, Decimal(0)), (B, USD, Decimal(25))),
        received=(),
        usd=Decimal(50),
        is_missed=True,
    )

    found = propose(free, [two, later], TERMS)

    assert [(one.source, one.target, one.amount) for one in found] == [(B, A, Decimal(11))]


def test_a_place_keeps_what_its_own_routes_draw() -> None:
    free = held(alpha_USD="0", beta_USD="150", beta_BTC="9", gamma_BTC="9")
    own = gap(B, C, usd="60", is_missed=False)

    assert propose(free, [gap(A, B), own], TERMS) == []
    assert len(propose({**free, (B, USD): Decimal(160)}, [gap(A, B), own], TERMS)) == 1


def test_a_place_keeps_what_its_trades_took_from_it_in_a_day() -> None:
    free = held(alpha_USD="0", beta_USD="250", beta_BTC="9", gamma_BTC="9")
    trades = [gap(B, C, usd="60", is_missed=False) for _ in range(3)]

    assert propose(free, [gap(A, B), *trades], TERMS) == []
    assert len(propose(free, [gap(A, B), *trades[:2]], TERMS)) == 1


PLACES = [(venue, asset) for venue in (A, B, C) for asset in (USD, BTC)]
AMOUNTS = st.integers(0, 30).map(Decimal)
LEGS = st.lists(st.tuples(st.sampled_from(PLACES), AMOUNTS), min_size=1, max_size=3).map(
    lambda legs: tuple((place[0], place[1], amount) for place, amount in legs)
)
ROUTES = st.lists(
    st.builds(Draws, given=LEGS, received=LEGS, usd=AMOUNTS, is_missed=st.booleans()), max_size=12
)
FREE = st.dictionaries(st.sampled_from(PLACES), st.integers(-3, 90).map(Decimal))


@given(FREE, ROUTES, st.integers(0, 20).map(Decimal), st.integers(0, 1_440))
@settings(max_examples=examples(400))
def test_no_proposal_takes_more_than_is_free_or_brings_where_nothing_lacks_or_costs_its_gain(
    free: dict[Place, Decimal], routes: list[Draws], usd: Decimal, minutes: int
) -> None:
    found = propose(free, routes, TransferTerms(usd=usd, minutes=Decimal(minutes)))

    assert len(found) <= 3
    for place, amount in free.items():
        taken = sum((one.amount for one in found if (one.source, one.asset) == place), Decimal(0))
        assert taken <= max(amount, Decimal(0))
    givers = {(one.source, one.asset) for one in found}
    assert givers.isdisjoint((one.target, one.asset) for one in found)
    for one in found:
        assert one.amount > 0
        assert one.source != one.target
        assert one.cost_usd < one.gain_usd
        assert one.cost_usd == usd
        target = (one.target, one.asset)
        wanted = [
            drawn
            for route in routes
            if route.is_missed
            for *at, drawn in route.given
            if tuple(at) == target
        ]
        assert sum(wanted) > free.get(target, 0)
    assert sum(one.gain_usd for one in found) <= sum(one.usd for one in routes if one.is_missed)
    assert found == propose(free, routes, TransferTerms(usd=usd, minutes=Decimal(minutes)))
