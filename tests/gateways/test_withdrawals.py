"""Every venue's withdrawals, in its own protocol against its own door: the same for all of them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from engine.domain.errors import BadValueError
from engine.domain.withdrawals import WithdrawalShown, WithdrawalStage
from engine.gateways.answers import NotPlaced, Page, Stop, Unclear
from engine.gateways.gateway_list import GATEWAYS
from engine.gateways.rights import UNTOLD
from engine.gateways.withdrawing import (
    WITHDRAWALS,
    WithdrawalTaken,
    why_no_withdrawing_key,
    withdrawing_of,
)
from engine.sandbox.exchange.funding import Manner, NotSent, Way
from tests.gateways.sample_list import SAMPLES
from tests.sandbox.exchange.funded import BTC, OTHER, Both, Funded, both, destination, request
from tests.sandbox.exchange.place import BEGIN_MS

VENUES = sorted(WITHDRAWALS)
LATER_MS = BEGIN_MS + 600_000

pytestmark = pytest.mark.parametrize("venue", VENUES)


def shown(at: Funded, *, at_ms: int = LATER_MS) -> tuple[WithdrawalShown, ...]:
    """Return what the venue lists."""
    answered = at.ask(at.withdrawing.withdrawals(BTC, BEGIN_MS - 10_000), at_ms)
    page = at.withdrawing.withdrawals_page(answered.status, answered.body)
    assert isinstance(page, Page), page
    return page.items


def came(accounts: Both, venue: str, *, at_ms: int = LATER_MS) -> list[tuple[Decimal, bool, str]]:
    """Return what the other venue lists as come in, with the key that trades there."""
    at = accounts.venues[OTHER[venue]]
    call = at.withdrawing.deposits(BTC, BEGIN_MS - 10_000)
    answered = at.ask(call, at_ms, is_trading_key=True)
    page = at.withdrawing.deposits_page(answered.status, answered.body)
    assert isinstance(page, Page), page
    return [(one.amount, one.is_credited, one.tx_id) for one in page.items]


def withdraw(at: Funded, venue: str, amount: str = "0.5") -> object:
    asked = request(venue, amount)
    answered = at.ask(at.withdrawing.withdraw(asked), BEGIN_MS)
    return at.withdrawing.withdrawn(asked, answered.status, answered.body)


def test_what_is_withdrawn_is_listed_on_its_way_and_credited_at_the_other_venue(venue: str) -> None:
    accounts = both()
    at, other = accounts.venues[venue], accounts.venues[OTHER[venue]]
    before, had = at.free(), other.free()

    taken = withdraw(at, venue)
    (pending,) = shown(at, at_ms=BEGIN_MS)
    none_came = came(accounts, venue, at_ms=BEGIN_MS)
    accounts.advance(BEGIN_MS + 500)
    (on_its_way,) = came(accounts, venue, at_ms=BEGIN_MS + 600)
    accounts.advance(LATER_MS)
    (sent,), (credited,) = shown(at), came(accounts, venue)

    assert isinstance(taken, WithdrawalTaken)
    assert pending.venue_id == sent.venue_id == taken.venue_id
    assert (pending.stage, sent.stage) == (WithdrawalStage.PENDING, WithdrawalStage.SENT)
    assert pending.is_of(request(venue))
    assert none_came == []
    assert on_its_way[1] is False
    assert credited == (Decimal("0.5") - sent.fee, True, sent.tx_id)
    assert before - at.free() == Decimal("0.5")
    assert other.free() - had == Decimal("0.5") - sent.fee


def test_what_the_venue_cancels_comes_back_whole(venue: str) -> None:
    accounts = both()
    at = accounts.venues[venue]
    before = at.free()
    at.funding.manner_out = lambda: Manner(back=Way.CANCELLED)

    withdraw(at, venue)
    accounts.advance(LATER_MS)

    assert [one.stage for one in shown(at)] == [WithdrawalStage.BACK]
    assert at.free() == before
    assert came(accounts, venue) == []


@pytest.mark.parametrize("why", [NotSent.FUNDS, NotSent.ADDRESS])
def test_a_refusal_in_the_venues_words_is_definite_and_moves_nothing(
    venue: str, why: NotSent
) -> None:
    accounts = both()
    at = accounts.venues[venue]
    before = at.free()
    at.funding.manner_out = lambda: Manner(refused=why)

    answer = withdraw(at, venue)

    assert isinstance(answer, NotPlaced)
    assert answer.stop is None
    assert (at.free(), shown(at)) == (before, ())


def test_more_than_there_is_is_refused(venue: str) -> None:
    at = both().venues[venue]

    assert isinstance(withdraw(at, venue, "1000000"), NotPlaced)


def test_an_address_that_is_taken_off_the_venues_list_is_refused(venue: str) -> None:
    at = both().venues[venue]
    at.funding.unlisted.add(destination(OTHER[venue]).address.lower())

    assert isinstance(withdraw(at, venue), NotPlaced)


def test_the_key_that_trades_withdraws_nothing(venue: str) -> None:
    at = both().venues[venue]
    asked = request(venue)

    answered = at.ask(at.withdrawing.withdraw(asked), BEGIN_MS, is_trading_key=True)
    answer = at.withdrawing.withdrawn(asked, answered.status, answered.body)

    assert isinstance(answer, NotPlaced)
    assert answer.stop is Stop.KEY
    assert at.funding.withdrawals == []


def test_the_key_that_withdraws_trades_nothing(venue: str) -> None:
    at = both().venues[venue]
    gateway = at.place.gateway
    sample = SAMPLES[venue]
    order = structs.replace(
        sample.request, wire_name=at.place.books.wire_name, sent_before_ms=BEGIN_MS + 5_000
    )

    answered = at.ask(gateway.place(order), BEGIN_MS)

    assert isinstance(gateway.placed(order, answered.status, answered.body), NotPlaced)
    assert at.place.exchange.orders == []


@given(status=st.sampled_from([200, 400, 403, 429, 500, 502]), body=st.binary(max_size=60))
def test_any_bytes_are_read_and_none_of_them_says_that_it_was_taken(
    venue: str, status: int, body: bytes
) -> None:
    withdrawing = withdrawing_of(venue)

    assert isinstance(withdrawing.withdrawn(request(venue), status, body), Unclear)
    for read in (withdrawing.withdrawals_page, withdrawing.deposits_page):
        assert isinstance(read(status, body), Unclear) or body.strip() == b"[]"


def test_the_fee_is_within_what_was_asked_or_beside_it_and_nothing_else_is_ours(venue: str) -> None:
    asked = request(venue)
    within = WithdrawalShown(
        venue_id="1",
        asset=asked.asset,
        address=asked.to.address,
        amount=Decimal("0.49"),
        fee=Decimal("0.01"),
        stage=WithdrawalStage.SENT,
        at_ms=1,
    )

    assert within.is_of(asked)
    assert structs.replace(within, amount=Decimal("0.5")).is_of(asked)
    assert not structs.replace(within, amount=Decimal("0.48")).is_of(asked)
    assert not structs.replace(within, address="another").is_of(asked)
    assert not structs.replace(within, wire_id="another").is_of(asked)


def test_a_chain_that_the_venue_is_not_known_to_send_on_is_asked_of_nobody(venue: str) -> None:
    elsewhere = structs.replace(destination(OTHER[venue]), chain="unheard-of")
    asked = structs.replace(request(venue, to=elsewhere), named="")

    with pytest.raises(BadValueError, match=r"unheard-of|NAMES"):
        withdrawing_of(venue).withdraw(asked)


def test_other_venues_are_refused_by_their_names(venue: str) -> None:
    assert venue in WITHDRAWALS
    for name in set(GATEWAYS) - set(WITHDRAWALS):
        with pytest.raises(BadValueError, match=f"nothing is withdrawn at {name}: "):
            withdrawing_of(name)


def test_a_withdraw_key_that_may_trade_is_refused_and_where_nobody_says_a_person_vouches(
    venue: str,
) -> None:
    del venue
    good = structs.replace(UNTOLD, may_trade=False, may_withdraw=True)

    assert why_no_withdrawing_key(good) == ""
    assert "may trade" in why_no_withdrawing_key(structs.replace(good, may_trade=True))
    assert "may trade" in why_no_withdrawing_key(
        structs.replace(good, may_trade=True), is_vouched=True
    )
    assert "VOUCHED" in why_no_withdrawing_key(UNTOLD)
    assert why_no_withdrawing_key(UNTOLD, is_vouched=True) == ""
    assert "may not withdraw" in why_no_withdrawing_key(structs.replace(good, may_withdraw=False))
