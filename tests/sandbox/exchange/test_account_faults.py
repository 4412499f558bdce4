"""Every fault of an account by script: what it does on the wire, and what is true all the while."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import aiohttp
import msgspec
import pytest

from engine.domain.venue_orders import KeyRights, OrderRequest, TimeInForce
from engine.gateways.answers import Found, NotFound, NotPlaced, Page, Placed, Stop, Unclear
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.exchange.faults import FORMS, AccountFault, ScriptedAccountFault
from engine.sandbox.exchange.model import State
from engine.sandbox.fault_script import load_fault_script
from engine.sandbox.server import Sandbox, open_sandbox
from engine.sandbox.settings import SandboxSettings
from tests.sandbox.exchange.wire import BEGIN_MS, Trader, total
from tests.sandbox.rig import paused, write_small_lineup

VENUES = ("binance", "bitstamp", "coinbase", "gemini", "kraken")
of_each = pytest.mark.parametrize("venue", VENUES)

Fault = AccountFault


@pytest.fixture
async def sandbox(tmp_path: Path) -> AsyncIterator[Sandbox]:
    async with open_sandbox(paused(lineup_path=write_small_lineup(tmp_path))) as opened:
        yield opened


def committed(at: Trader, fault: AccountFault) -> int:
    return at.sandbox.accounts.accounts[at.venue].faults.counts[fault]


# ---- requests and answers


@of_each
async def test_an_answer_is_lost_after_the_order_was_taken(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.ANSWER_LOST)

    with pytest.raises(aiohttp.ClientError):
        await at.place(at.order())

    assert [one.state for one in at.exchange.orders] == [State.FILLED]
    assert any(isinstance(one, Found) for one in await at.looked_up(at.order()))
    assert committed(at, Fault.ANSWER_LOST) == 1


@of_each
async def test_a_request_is_lost_before_it_came(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.REQUEST_LOST)

    with pytest.raises(aiohttp.ClientError):
        await at.place(at.order())

    assert at.exchange.orders == []
    assert {type(one) for one in await at.looked_up(at.order())} == {NotFound}


@of_each
async def test_an_answer_comes_late_of_what_was_done_at_once(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)

    async with at.listening() as ear:
        at.arm(Fault.ANSWER_LATE, duration_s=4.0)
        asked = asyncio.create_task(at.place(at.order()))
        await ear.until(lambda: bool(at.exchange.orders) and not ear.told.differences(at.exchange))
        await at.ask(at.gateway.balances())  # who asks later is answered before
        assert not asked.done()
        await sandbox.play(5.0)

        assert isinstance(await asked, Placed)


@of_each
async def test_a_request_comes_late_and_too_late_is_refused(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    late_s = at.gateway.rules.late_ms_max / 1_000 + 31
    at.arm(Fault.REQUEST_LATE, duration_s=late_s)

    request = at.order()
    asked = asyncio.create_task(at.place(request))
    await _until_waiting(sandbox)
    if at.gateway.rules.is_fenced:  # a later number shuts it out
        await at.ask(at.gateway.balances())
    await sandbox.play(late_s + 1)

    told = await asked
    assert isinstance(told, NotPlaced | Unclear), told
    assert at.exchange.orders == []


async def _until_waiting(sandbox: Sandbox) -> None:
    """Wait until a request has come in, and waits for replay time to pass."""
    before = sum(count for name, count in sandbox.stage.counts.items() if "private" in name)
    while not before:
        await asyncio.sleep(0)
        before = sum(count for name, count in sandbox.stage.counts.items() if "private" in name)


@of_each
@pytest.mark.parametrize("form", FORMS[Fault.ANSWER_WRONG])
async def test_an_answer_says_nothing_of_an_order_that_was_taken(
    sandbox: Sandbox, venue: str, form: str
) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.ANSWER_WRONG, form=form)

    assert isinstance(await at.place(at.order()), Unclear)

    assert [one.state for one in at.exchange.orders] == [State.FILLED]


@of_each
async def test_the_stream_tells_a_fill_before_its_order_is_answered(
    sandbox: Sandbox, venue: str
) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.FILL_FIRST, duration_s=1.0)

    async with at.listening() as ear:
        asked = asyncio.create_task(at.place(at.order()))
        await ear.until(lambda: bool(at.exchange.fills) and not ear.told.differences(at.exchange))
        await at.ask(at.gateway.balances())  # who asks later is answered before
        assert not asked.done()
        await sandbox.play(1.5)

        assert isinstance(await asked, Placed)


@of_each
async def test_a_second_order_under_the_same_id_is_taken(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    request = _resting(at)
    await at.place(request)
    at.arm(Fault.IDS_AGAIN)

    assert isinstance(await at.place(request), Placed)

    ours = at.exchange.by_client_id(request.wire_id)
    assert len(ours) == 2
    assert await at.place(request) is not None
    assert len(at.exchange.by_client_id(request.wire_id)) == (3 if venue == "gemini" else 2)


@of_each
async def test_look_ups_lag_behind_what_is_done(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.LAG, duration_s=2.0)
    before = {asset: total(at.exchange, asset) for asset in at.exchange.balances}

    assert isinstance(await at.place(at.order()), Placed)

    assert {type(one) for one in await at.looked_up(at.order())} == {NotFound}
    page = at.gateway.balances_page(*await at.ask(at.gateway.balances()))
    assert isinstance(page, Page)
    assert {one.asset: one.total for one in page.items} == before
    await sandbox.play(2.5)
    assert any(isinstance(one, Found) for one in await at.looked_up(at.order()))


# ---- the venue refuses


@of_each
async def test_a_venue_that_is_down_proves_nothing_and_does_nothing(
    sandbox: Sandbox, venue: str
) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.DOWN, duration_s=5.0)

    told = await at.place(at.order())

    # One venue says in so many words that nothing was placed.
    assert isinstance(told, NotPlaced if venue == "gemini" else Unclear)
    assert not isinstance(told, NotPlaced) or told.stop is Stop.MAINTENANCE
    assert at.exchange.orders == []
    assert {type(one) for one in await at.looked_up(at.order())} == {Unclear}
    await sandbox.play(6.0)
    assert isinstance(await at.place(at.order()), Placed)


@of_each
async def test_a_ban_for_too_many_requests_refuses_everything_for_its_time(
    sandbox: Sandbox, venue: str
) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.BANNED, duration_s=5.0)

    told = await at.place(at.order())

    assert isinstance(told, Unclear), told
    assert {type(one) for one in await at.looked_up(at.order())} == {Unclear}
    assert at.exchange.orders == []
    await sandbox.play(6.0)
    assert isinstance(await at.place(at.order()), Placed)


@of_each
async def test_a_revoked_key_is_refused_for_certain_and_its_streams_end(
    sandbox: Sandbox, venue: str
) -> None:
    at = Trader(sandbox, venue)

    async with at.listening() as ear:
        at.arm(Fault.KEY)
        await ear.until(lambda: ear.is_closed)

    told = await at.place(at.order())
    assert isinstance(told, NotPlaced)
    assert told.stop is Stop.KEY
    assert at.exchange.orders == []


@of_each
async def test_a_key_loses_the_right_to_trade(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.KEY, form="no_trade")

    told = await at.place(at.order())

    assert isinstance(told, NotPlaced)
    assert told.stop is Stop.KEY
    page = at.gateway.balances_page(*await at.ask(at.gateway.balances()))
    assert isinstance(page, Page)


@pytest.mark.parametrize("venue", ["binance", "coinbase", "gemini"])
async def test_a_key_may_withdraw_from_now_on(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    call = at.gateway.rights()
    assert call is not None

    seen = []
    for form in (None, "may_withdraw"):
        if form is not None:
            at.arm(Fault.KEY, form=form)
        rights = at.gateway.rights_told(*await at.ask(call))
        assert isinstance(rights, KeyRights)
        seen.append(rights.may_withdraw)

    assert seen == [False, True]


@pytest.mark.parametrize("venue", ["binance", "bitstamp", "coinbase"])
@pytest.mark.parametrize("off_s", [-600.0, 600.0])
async def test_a_clock_that_is_off_refuses_what_is_signed_by_a_true_one(
    sandbox: Sandbox, venue: str, off_s: float
) -> None:
    at = Trader(sandbox, venue)
    at.arm(Fault.CLOCK, duration_s=off_s)

    told = await at.place(at.order())

    assert isinstance(told, NotPlaced | Unclear), told
    assert at.exchange.orders == []
    at.arm(Fault.CLOCK, duration_s=0.0)
    assert isinstance(await at.place(at.order()), Placed)


# ---- the account


@of_each
async def test_a_fill_is_taken_back_and_the_account_is_as_it_was(
    sandbox: Sandbox, venue: str
) -> None:
    at = Trader(sandbox, venue)
    before = {asset: total(at.exchange, asset) for asset in at.exchange.balances}
    request = at.order()
    await at.place(request)
    assert {asset: total(at.exchange, asset) for asset in before} != before
    while any(not one.is_reversed for one in at.exchange.fills):
        at.arm(Fault.REVERSED)

    assert {asset: total(at.exchange, asset) for asset in before} == before
    page = at.gateway.trades_page(
        *await at.ask(at.gateway.trades(request.wire_name, at.now_ms - 1_000))
    )
    assert isinstance(page, Page)
    listed = [one.is_reversal for one in page.items]
    # Two venues have a word for it; at the others such a trade is listed no more.
    assert all(listed)
    assert bool(listed) == (venue in ("coinbase", "gemini"))


@of_each
async def test_somebody_else_pays_out_what_we_count_on(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    asset = "BTC"
    before = at.exchange.balances[asset].free

    async with at.listening() as ear:
        at.arm(Fault.OTHERS, asset=asset, amount=before * 2)
        if venue in ("binance", "gemini"):
            await ear.until(lambda: asset in ear.told.balances)
            assert ear.told.balances[asset].total == 0

    assert at.exchange.balances[asset].free == 0
    assert isinstance(await at.place(at.order()), NotPlaced)


@of_each
async def test_somebody_elses_orders_are_told_without_an_id_of_ours(
    sandbox: Sandbox, venue: str
) -> None:
    at = Trader(sandbox, venue)
    name = at.order().wire_name

    async with at.listening() as ear:
        at.arm(Fault.OTHERS, form="trade", instrument=name)
        at.arm(Fault.OTHERS, form="rest", instrument=name)
        await ear.until_told(at.exchange)

    assert [one.state for one in at.exchange.orders] == [State.FILLED, State.OPEN]
    assert {one.wire_id for one in ear.told.orders.values()} == {""}


@of_each
async def test_the_fees_of_the_tier_change_between_two_orders(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    await at.place(at.order(1))
    at.arm(Fault.FEES, amount=Decimal("0.05"))

    await at.place(at.order(2))

    shares = [
        one.fee / (one.size if one.fee_asset == "ETH" else one.size * one.price)
        for one in (at.exchange.fills[0], at.exchange.fills[-1])
    ]
    assert shares[0] < Decimal("0.01") < Decimal("0.049") < shares[1]
    (call, *_) = at.gateway.fees([at.order().wire_name])
    told = at.gateway.fees_told(*await at.ask(call))
    assert not isinstance(told, Unclear)
    assert {one.taker_ratio for one in told} == {Decimal("0.05")}


async def test_fees_are_taken_from_a_third_asset_as_long_as_there_is_any(sandbox: Sandbox) -> None:
    at = Trader(sandbox, "binance")
    at.arm(Fault.FEES, amount=Decimal("0.01"), asset="BNB")
    before = total(at.exchange, "BNB")

    async with at.listening() as ear:
        await at.place(at.order(1))
        await ear.until_told(at.exchange)
        assert {one.fee_asset for one in ear.told.trades.values()} == {"BNB"}
        assert ear.told.balances["BNB"].total == total(at.exchange, "BNB") < before
    at.arm(Fault.OTHERS, asset="BNB", amount=before)
    await at.place(at.order(2))

    assert [one.fee_asset for one in at.exchange.fills][-1] == "ETH"
    with pytest.raises(SandboxStartError, match="binance"):
        Trader(sandbox, "gemini").arm(Fault.FEES, amount=Decimal("0.01"), asset="BNB")


# ---- the stream


@of_each
@pytest.mark.parametrize("form", FORMS[Fault.STREAM_CUT])
async def test_a_stream_is_cut_and_can_be_opened_anew(
    sandbox: Sandbox, venue: str, form: str
) -> None:
    at = Trader(sandbox, venue)

    async with at.listening() as ear:
        at.arm(Fault.STREAM_CUT, form=form)
        await ear.until(lambda: ear.is_closed)
    async with at.listening() as ear:
        await at.place(at.order())
        await ear.until_told(at.exchange)


@of_each
async def test_what_a_stream_loses_shows_in_its_numbers_where_it_has_any(
    sandbox: Sandbox, venue: str
) -> None:
    at = Trader(sandbox, venue)

    async with at.listening() as ear:
        at.arm(Fault.STREAM_LOSES, count=1)
        await at.place(at.order(1))
        await at.place(at.order(2))
        last = str(at.exchange.orders[-1].number)
        await ear.until(lambda: any(last in one.venue_order_id for one in ear.told.orders.values()))

    assert bool(ear.told.gaps) == (venue in ("coinbase", "kraken"))
    assert committed(at, Fault.STREAM_LOSES) == 1


@of_each
async def test_what_a_stream_tells_twice_is_the_same(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)

    async with at.listening() as ear:
        at.arm(Fault.STREAM_TWICE, count=10)
        await at.place(at.order())
        await ear.until(
            lambda: (
                not ear.told.differences(at.exchange)
                and (ear.told.repeats > 0 or bool(ear.told.gaps))
            )
        )


@of_each
async def test_a_stream_falls_silent_and_its_connection_stays(sandbox: Sandbox, venue: str) -> None:
    at = Trader(sandbox, venue)
    beat = at.gateway.after_open().beat

    async with at.listening() as ear:
        at.arm(Fault.STREAM_MUTE, duration_s=30.0)
        heard = ear.frames
        if beat:
            await ear.socket.send_str(beat.decode())
        await at.place(at.order())
        await sandbox.play(20.0)
        assert isinstance(await at.place(at.order(2)), Placed)
        assert (ear.frames, ear.is_closed) == (heard, False)
        await sandbox.play(11.0)
        await at.place(at.order(3))
        await ear.until(lambda: ear.frames > heard)


# ---- resting orders and the books


@of_each
async def test_an_order_that_rests_is_filled_as_the_book_moves_without_any_request(
    sandbox: Sandbox, venue: str
) -> None:
    at = Trader(sandbox, venue)
    request = _resting(at)

    async with at.listening() as ear:
        assert isinstance(await at.place(request), Placed)
        for _ in range(120):
            await sandbox.play(1.0)
            if at.exchange.orders[0].state is not State.OPEN:
                break
        assert at.exchange.orders[0].fills, "the book never came to it"
        await ear.until_told(at.exchange)
    assert all(one.is_maker for one in at.exchange.fills)
    # When the book moved, and not at the full second at which all that is due is looked at.
    assert (at.exchange.fills[0].at_ms - BEGIN_MS) % 1_000


def _resting(at: Trader) -> OrderRequest:
    """Return a buy that rests, a tick below what is asked."""
    request = at.order(time_in_force=TimeInForce.POST_ONLY)
    listing = at.sandbox.stage.markets[at.venue].named(request.wire_name)
    assert listing is not None
    price = request.price_limit - listing.rules.tick_quote
    least = max(listing.rules.size_min_base, listing.rules.notional_min_quote / price)
    size = (least // listing.rules.lot_base + 1) * listing.rules.lot_base
    return msgspec.structs.replace(request, price_limit=price, size_base=size)


# ---- scripts


def test_a_script_has_faults_of_markets_and_of_accounts(tmp_path: Path) -> None:
    path = tmp_path / "script.toml"
    path.write_text(
        '[[fault]]\nat_s = 2.0\nvenue = "gemini"\nfault = "lag"\nduration_s = 3.0\n'
        '[[fault]]\nat_s = 1.0\nvenue = "gemini"\nfault = "gap"\n'
    )

    faults = load_fault_script(path)

    assert [one.fault for one in faults] == ["gap", "lag"]
    assert isinstance(faults[1], ScriptedAccountFault)


async def test_a_scripted_fault_of_an_account_comes_at_its_time(tmp_path: Path) -> None:
    script = (ScriptedAccountFault(at_s=3.0, venue="gemini", fault=Fault.KEY),)
    settings = paused(lineup_path=write_small_lineup(tmp_path), faults=script)
    async with open_sandbox(settings) as sandbox:
        at = Trader(sandbox, "gemini")
        assert isinstance(await at.place(at.order(1)), Placed)
        await sandbox.play(3.5)
        assert isinstance(await at.place(at.order(2)), NotPlaced)


async def test_the_control_page_arms_them_and_shows_what_happened(sandbox: Sandbox) -> None:
    url = sandbox.announcement()["control_url"] + "/faults"
    at = Trader(sandbox, "gemini")
    async with aiohttp.ClientSession() as http:
        for body, status in (
            ({"venue": "gemini", "fault": "lag", "duration_s": 2}, 200),
            ({"venue": "gemini", "fault": "others", "asset": "NONE", "amount": "1"}, 400),
            ({"venue": "gemini", "fault": "key", "form": "lost"}, 400),
            ({"venue": "nowhere", "fault": "lag"}, 400),
            ({"venue": "gemini", "fault": "rain"}, 400),
            ({"venue": "gemini", "fault": "lag", "duration_s": -1}, 400),
        ):
            async with http.post(url, json=body) as answer:
                assert answer.status == status, (body, await answer.text())
        await at.place(at.order())
        async with http.get(url) as answer:
            told = await answer.json()
    assert told["accounts"]["gemini"]["kinds"] == {"lag": 1}


def test_a_fault_of_no_account_keeps_the_sandbox_from_starting(tmp_path: Path) -> None:
    script = (ScriptedAccountFault(venue="nowhere", fault=Fault.LAG),)
    settings = SandboxSettings(lineup_path=write_small_lineup(tmp_path), faults=script)

    async def start() -> None:
        async with open_sandbox(settings):
            pass

    with pytest.raises(SandboxStartError, match="nowhere"):
        asyncio.run(start())
