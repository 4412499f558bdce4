"""Faults of withdrawals by script: each does what it says to the account that it names."""

from collections.abc import Callable
from decimal import Decimal

import pytest

from engine.sandbox.exchange.account import Account
from engine.sandbox.exchange.doors.door import Asks
from engine.sandbox.exchange.faults import AccountFault, ScriptedAccountFault
from engine.sandbox.exchange.funding import NotSent, Way, Withdrawal
from tests.sandbox.exchange.funded import OTHER, Both, both, destination
from tests.sandbox.exchange.place import BEGIN_MS

Fault = AccountFault


class World:
    """Both venues as accounts with faults; the clock is a number."""

    def __init__(self) -> None:
        self.now_ms = BEGIN_MS
        self.both: Both = both()
        self.accounts = {
            venue: Account(
                at.place.door,
                true_ms=lambda: self.now_ms,
                now_ns=lambda: self.now_ms * 1_000_000,
            )
            for venue, at in self.both.venues.items()
        }

    def arm(self, venue: str, fault: AccountFault, **change: object) -> Callable[[], int]:
        account = self.accounts[venue]
        account.commit(ScriptedAccountFault(venue=venue, fault=fault, **change))  # type: ignore[arg-type]
        return lambda: account.faults.counts[fault]

    def withdraw(self, venue: str) -> Withdrawal | NotSent:
        to = destination(OTHER[venue])
        return self.both.venues[venue].funding.withdraw(
            Withdrawal(
                number=0,
                client_id="",
                asset="BTC",
                chain=to.chain,
                address=to.address,
                memo="",
                amount=Decimal("0.5"),
                fee=Decimal(0),
                at_ms=self.now_ms,
                due_ms=0,
            )
        )

    def wait(self, seconds: float) -> None:
        self.now_ms += int(seconds * 1_000)
        self.both.advance(self.now_ms)


@pytest.fixture
def world() -> World:
    return World()


def test_the_next_is_held_and_goes_on_its_way_later(world: World) -> None:
    count = world.arm("binance", Fault.WITHDRAWAL_HELD, duration_s=60)
    held, usual = world.withdraw("binance"), world.withdraw("binance")
    world.wait(10)

    assert isinstance(held, Withdrawal)
    assert isinstance(usual, Withdrawal)
    assert (held.way, usual.way, count()) == (Way.PENDING, Way.SENT, 1)
    world.wait(60)
    assert held.way is Way.SENT


@pytest.mark.parametrize("form", ["cancelled", "failed"])
def test_the_next_comes_back_whole(world: World, form: str) -> None:
    before = world.both.venues["kraken"].free()
    count = world.arm("kraken", Fault.WITHDRAWAL_BACK, form=form)
    made = world.withdraw("kraken")
    world.wait(10)

    assert isinstance(made, Withdrawal)
    assert (made.way.value, count()) == (form, 1)
    assert world.both.venues["kraken"].free() == before


@pytest.mark.parametrize("form", ["address", "funds"])
def test_the_next_is_refused_and_the_one_after_is_not(world: World, form: str) -> None:
    count = world.arm("binance", Fault.WITHDRAWAL_REFUSED, form=form)

    assert world.withdraw("binance") is NotSent(form)
    assert isinstance(world.withdraw("binance"), Withdrawal)
    assert count() == 1


def test_the_fee_of_an_asset_is_another_from_now_on(world: World) -> None:
    count = world.arm("binance", Fault.WITHDRAWAL_FEE, asset="BTC", amount=Decimal("0.01"))
    made = world.withdraw("binance")

    assert isinstance(made, Withdrawal)
    assert (made.fee, count()) == (Decimal("0.01"), 1)


def test_what_comes_is_shown_and_credited_later(world: World) -> None:
    had = world.both.venues["kraken"].free()
    count = world.arm("kraken", Fault.DEPOSIT_HELD, duration_s=60)
    world.withdraw("binance")
    world.wait(1)
    world.wait(10)
    (came,) = world.both.venues["kraken"].funding.deposits

    assert (came.is_credited, count()) == (False, 1)
    assert world.both.venues["kraken"].free() == had
    world.wait(60)
    assert came.is_credited


def test_what_is_sent_without_the_accounts_tag_is_credited_to_nobody(world: World) -> None:
    at, other = world.both.venues["binance"], world.both.venues["kraken"]
    at.place.exchange.pay("XRP", Decimal(100), world.now_ms)
    to = destination("kraken", "XRP", "ripple")
    for memo in (to.memo, "7"):
        at.funding.withdraw(
            Withdrawal(
                number=0,
                client_id="",
                asset="XRP",
                chain="ripple",
                address=to.address,
                memo=memo,
                amount=Decimal(10),
                fee=Decimal(0),
                at_ms=world.now_ms,
                due_ms=0,
            )
        )
    world.wait(1)
    world.wait(5)

    assert len(other.funding.deposits) == 1
    assert [one.memo for one in at.funding.withdrawals] == [to.memo, "7"]


def test_answers_to_withdrawals_are_lost_as_those_to_orders_are(world: World) -> None:
    world.arm("binance", Fault.ANSWER_LOST)
    faults = world.accounts["binance"].faults

    assert Fault.ANSWER_LOST in faults.take_request(Asks.WITHDRAW)
