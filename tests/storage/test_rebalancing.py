"""What the last day refused for want of balance is what transfers are proposed for, once a day."""

from dataclasses import replace
from decimal import Decimal

import msgspec

from engine.bus.money_reports import FreeAt, RebalancingReport
from engine.bus.notices import TransferProposed
from engine.bus.records import DepositRecord, Record
from engine.domain.assets import Amount, AssetCode
from engine.domain.destinations import Destination
from engine.domain.holdings import Deposit
from engine.domain.modes import Basis, Money
from engine.requests.inventory import GetRebalancing
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from tests.storage import makers
from tests.storage.asking import append, ask, notices
from tests.storage.conftest import Clock

BUY, SELL = (hop.venue for hop in makers.make_opportunity().hops)
USD, BTC = AssetCode("USD"), AssetCode("BTC")
MISSED = "balance_too_low"
SINCE_NS = makers.NOW_NS - makers.DAY_NS


async def test_only_refusals_of_the_day_for_want_of_balance_count(
    settings: LedgerSettings, clock: Clock
) -> None:
    records = [makers.make_opportunity_record(number=one, outcome=MISSED) for one in range(1, 9)]
    others = [
        makers.make_opportunity_record(number=20, outcome="edge_below_min"),
        makers.make_opportunity_record(number=21, outcome="planned"),
        makers.make_opportunity_record(number=22, outcome=MISSED, seen_at_ns=SINCE_NS - 1),
    ]
    free = [
        FreeAt(venue=SELL, asset=BTC, free=Decimal(100)),
        FreeAt(venue=SELL, asset=USD, free=Decimal(50)),
    ]
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *records, *others)
        asked = GetRebalancing(free=free, since_ns=SINCE_NS)
        report = await ask(ledger, asked, RebalancingReport)
        none = await ask(ledger, GetRebalancing(free=[], since_ns=SINCE_NS), RebalancingReport)

    (found,) = report.transfers
    assert report.missed == 8
    assert (found.asset, found.source, found.target) == (USD, SELL, BUY)
    assert found.amount == 8
    assert found.routes == 8
    assert found.gain_usd == 8 * Decimal("1.2") * (1 - Decimal(1_800) / 86_400)
    assert none.transfers == []


def has(number: int, amount: str, *, money: Money) -> DepositRecord:
    """Return what puts an amount, as ``50 USD``, where the sale is."""
    value, asset = amount.split()
    added = Amount.of(value, asset)
    deposit = Deposit(venue=SELL, added=added, started=added, started_usd=Decimal(1))
    made = makers.make_deposit_record(number=number, deposit=deposit)
    return msgspec.structs.replace(made, money=money)


def lacking(*, money: Money) -> list[Record]:
    """Return refused routes that a transfer of the seller's dollars would let through."""
    return [
        has(1, "100 BTC", money=money),
        has(2, "50 USD", money=money),
        *(makers.make_opportunity_record(number=one, outcome=MISSED) for one in range(1, 9)),
    ]


async def told(ledger: Ledger) -> list[TransferProposed]:
    report = await notices(ledger, reader="other", after_seq=0)
    return [one.notice for one in report.notices if isinstance(one.notice, TransferProposed)]


async def test_a_proposal_is_told_once_a_day_over_restarts_and_clocks_that_are_set_back(
    settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *lacking(money=Money.LIVE))
        assert await ledger.tell_transfers() == "1 proposed"
        assert await ledger.tell_transfers() is None
    async with open_ledger(settings, clock=clock) as ledger:
        clock.now_ns = makers.NOW_NS - makers.DAY_NS // 2
        assert await ledger.tell_transfers() is None
        clock.now_ns = makers.NOW_NS + makers.DAY_NS - 1
        assert await ledger.tell_transfers() is None
        clock.now_ns = makers.NOW_NS + makers.DAY_NS
        assert await ledger.tell_transfers() == "1 proposed"
        found = await told(ledger)

    assert [one.transfer.target for one in found] == [BUY, BUY]
    assert found[0].transfer.asset == USD
    assert found[0].basis is Basis.SANDBOX_LIVE


async def test_an_address_that_is_allowed_is_named_in_what_is_told(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    allowed = Destination(venue=BUY, asset=USD, chain="base", address="0x1")
    settings = replace(sqlite_settings, destinations=(allowed,))
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, *lacking(money=Money.LIVE))
        await ledger.tell_transfers()
        (found,) = await told(ledger)

    assert found.transfer.to == (allowed,)


async def test_another_amount_of_the_same_proposal_is_not_told_anew(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(ledger, *lacking(money=Money.LIVE))
        await ledger.tell_transfers()
        await append(ledger, makers.make_opportunity_record(number=30, outcome=MISSED))

        assert await ledger.tell_transfers() is None


async def test_paper_money_is_no_reason_for_a_transfer(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    async with open_ledger(sqlite_settings, clock=clock) as ledger:
        await append(ledger, *lacking(money=Money.PAPER))

        assert await ledger.tell_transfers() is None
        assert await told(ledger) == []
