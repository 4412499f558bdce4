"""Transfers between venues of the sandbox: each ends once, by proof, whatever is lost or ended."""

from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bus.report import Declined
from engine.bus.transferring import GetTransferTerms, TakeOnTransfer
from engine.bus.work_reports import WorkDone
from engine.domain.transfer_life import Decision, SendState
from engine.domain.transfers import TransferMatter
from engine.gateways.asks import WithdrawRightsAsk
from engine.sandbox.exchange.funding import NotSent, Way
from tests.effort import examples
from tests.sandbox.exchange.funded import BTC
from tests.trading.transfer_world import TransferWorld
from tests.trading.work_world import EndedError

SOURCES = ("binance", "kraken")
M = TransferMatter
POINTS = (
    "before keeping a transfer",
    "kept a transfer",
    "a transfer is intended",
    "a transfer is signed",
    "a transfer has left",
)


@pytest.fixture(params=SOURCES)
async def world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TransferWorld]:
    made = TransferWorld(tmp_path / "orders", source=request.param)
    await made.check()
    yield made
    made.book.close()


def fee(world: TransferWorld) -> Decimal:
    return world.accounts.venues[world.source].funding.fee("BTC")


async def judge(world: TransferWorld, *, sends: int) -> None:
    """Compare what is written with what is true at both venues."""
    arrived = sum((one.credited for one in world.kept().life.sends.values()), Decimal(0))
    assert world.sent == sends
    assert world.moved(world.target) == arrived
    await world.pass_by(600, step_s=60)
    await world.check()
    assert not world.is_halted(), world.matters
    assert [one.check.standing.unchecked for one in world.at.values()] == ["", ""]


async def test_a_test_goes_first_and_the_rest_once_it_is_credited(world: TransferWorld) -> None:
    world.allow()
    await world.pass_by(55)
    assert world.sent == 0

    await world.pass_by(5)
    assert world.sent == 1
    assert world.kept().life.under_way == Decimal("0.1")
    kept = await world.until_ended()

    assert kept.life.state == SendState.ARRIVED
    assert world.moved(world.source) == Decimal(-1)
    assert world.moved(world.target) == 1 - 2 * fee(world)
    assert world.matters_told() == [M.STARTED, M.TEST_ARRIVED, M.DONE]
    await judge(world, sends=2)


async def test_what_is_under_way_halts_no_venue_and_is_told_to_the_books_as_moving(
    world: TransferWorld,
) -> None:
    world.manner(world.source, held_ms=900_000)
    world.allow()
    await world.pass_by(65)
    await world.pass_by(300, step_s=60)
    await world.check()

    assert world.kept().life.under_way == Decimal("0.1")
    assert not world.is_halted()
    for one in world.at.values():
        assert one.standing.seen is not None
        assert one.standing.seen.moving == (BTC,)
        assert one.standing.unchecked == ""


async def test_what_left_and_came_before_anybody_has_read_that_halts_no_venue(
    world: TransferWorld,
) -> None:
    world.lost = ["answer"]
    world.allow()
    await world.pass_by(60)
    assert world.kept().unknown_since_ns
    for _ in range(4):
        world.now_ms += 60_000
        world.accounts.advance(world.now_ms)
    await world.check()

    assert world.moved(world.source) == Decimal("-0.1")
    assert world.moved(world.target) == Decimal("0.1") - fee(world)
    assert not world.is_halted()
    assert [one.standing.unchecked for one in world.at.values()] == ["", ""]


async def test_more_that_is_missing_than_is_under_way_halts_the_venue_all_the_same(
    world: TransferWorld,
) -> None:
    world.manner(world.source, held_ms=900_000)
    world.allow()
    await world.pass_by(65)
    world.accounts.venues[world.source].place.exchange.pay("BTC", Decimal("-0.2"), world.now_ms)
    await world.pass_by(300, step_s=60)
    await world.check()

    assert world.is_halted()


@pytest.mark.parametrize("lost", ["answer", "page"])
async def test_an_answer_that_is_lost_is_found_in_the_venues_list_and_nothing_is_sent_again(
    world: TransferWorld, lost: str
) -> None:
    world.lost = [lost]
    world.allow()
    kept = await world.until_ended()

    assert kept.life.state == SendState.ARRIVED
    assert M.UNKNOWN in world.matters_told()
    await judge(world, sends=2)


async def test_what_never_came_is_proven_absent_by_whole_lists_and_ends_without_a_second_send(
    world: TransferWorld,
) -> None:
    world.lost = ["request"]
    world.allow()
    await world.pass_by(120)
    assert world.kept().life.sends
    assert world.kept().unknown_since_ns
    assert not world.kept().ended_ns

    kept = await world.until_ended()

    assert kept.life.state == "test failed"
    assert world.matters_told() == [M.STARTED, M.UNKNOWN, M.FAILED]
    assert "3 whole listings do not have it" in world.told["t1", 2][1]
    await judge(world, sends=0)


async def test_while_nothing_can_be_listed_what_is_unknown_stays_so_and_its_age_is_told(
    world: TransferWorld,
) -> None:
    world.lost = ["answer"]
    world.allow()
    await world.pass_by(60)
    world.is_cut = True
    await world.pass_by(3_700, step_s=20)
    assert world.kept().unknown_since_ns
    told = [what for matter, what in world.told.values() if matter is M.UNKNOWN]
    assert ["10 minutes" in one for one in told] == [False, True, False]
    assert ["1 h" in one for one in told] == [False, False, True]

    world.is_cut = False
    kept = await world.until_ended()

    assert kept.life.state == SendState.ARRIVED


@pytest.mark.parametrize("why", [NotSent.ADDRESS, NotSent.FUNDS])
async def test_a_refusal_of_the_venue_ends_it_and_the_rest_never_goes(
    world: TransferWorld, why: NotSent
) -> None:
    world.manner(world.source, refused=why)
    world.allow()
    kept = await world.until_ended()

    assert kept.life.state == "test failed"
    assert "refused it" in world.told["t1", 1][1]
    assert world.moved(world.source) == 0
    await judge(world, sends=1)


async def test_what_the_venue_cancels_comes_back_and_the_rest_never_goes(
    world: TransferWorld,
) -> None:
    world.manner(world.source, back=Way.CANCELLED)
    world.allow()
    kept = await world.until_ended()

    assert kept.life.state == "test failed"
    assert world.moved(world.source) == 0
    await judge(world, sends=1)


async def test_a_test_that_is_sent_and_not_credited_holds_the_rest_back(
    world: TransferWorld,
) -> None:
    world.manner(world.target, way_in=True, held_ms=1_800_000)
    world.allow()
    await world.pass_by(1_000, step_s=20)
    assert world.sent == 1
    assert M.OVERDUE in world.matters_told()

    await world.until_ended()

    await judge(world, sends=2)


async def test_a_cancellation_in_the_delay_stops_all_and_later_the_rest(
    world: TransferWorld,
) -> None:
    world.allow()
    await world.pass_by(30)
    assert isinstance(world.answers.cancel_transfer("t1", "ann"), WorkDone)
    assert world.kept().life.state == "cancelled"
    assert world.sent == 0
    assert isinstance(world.answers.cancel_transfer("t1", "ann"), Declined)

    world.allow(world.order(2))
    await world.pass_by(60)
    said = world.answers.cancel_transfer("t2", "ann")
    assert isinstance(said, WorkDone)
    assert "0.1 BTC had left" in said.text
    kept = await world.until_ended(2)

    assert kept.life.state == "cancelled after its test"
    assert world.sent == 1


@pytest.mark.parametrize(
    ("world", "asked"),
    [("binance", WithdrawRightsAsk), ("binance", None), ("kraken", None)],
    indirect=["world"],
)
async def test_a_cancellation_while_its_source_is_asked_or_its_line_is_waited_for_stops_all(
    world: TransferWorld, asked: type | None
) -> None:
    world.allow()
    if asked is None:
        world.crash = lambda where: stop(world) if where == "a transfer is intended" else None
    else:
        world.asked = lambda ask: stop(world) if isinstance(ask, asked) else None
    await world.pass_by(70)

    assert world.sent == 0
    assert world.kept().life.decision is Decision.CANCELLED
    assert (await world.until_ended()).why == "ann stopped it"


def stop(world: TransferWorld) -> None:
    world.answers.cancel_transfer("t1", "ann")


async def test_a_kill_stops_what_has_not_left_and_follows_what_has(world: TransferWorld) -> None:
    world.allow()
    await world.pass_by(60)
    world.killed = "killed: by ann"
    kept = await world.until_ended()

    assert kept.life.state == "cancelled after its test"
    assert kept.why == "killed: by ann"
    assert world.sent == 1
    refused = world.answers.take_on_transfer(
        TakeOnTransfer(order=world.order(2), engine="main", by="ann")
    )
    assert isinstance(refused, Declined)


async def test_what_the_signer_refuses_or_does_not_answer_never_leaves(
    world: TransferWorld,
) -> None:
    world.refuses = "a cap is used up"
    world.allow()
    kept = await world.until_ended()
    assert "a cap is used up" in kept.facts[next(iter(kept.facts))].why
    assert world.sent == 0


async def test_one_at_a_time_of_an_asset_leaves_a_venue_and_the_same_twice_is_one(
    world: TransferWorld,
) -> None:
    def take_on(number: int) -> object:
        asked = TakeOnTransfer(order=world.order(number), engine="main", by="ann")
        return world.answers.take_on_transfer(asked)

    assert isinstance(take_on(1), WorkDone)
    assert isinstance(take_on(1), WorkDone)
    second = take_on(2)
    assert isinstance(second, Declined)
    assert "t1 moves BTC" in second.why


async def test_terms_are_those_of_the_settings_or_say_what_is_missing(
    world: TransferWorld,
) -> None:
    async def ask(**changes: object) -> tuple[bool, str]:
        fields: dict[str, object] = {
            "source": world.source,
            "target": world.target,
            "asset": "BTC",
            "amount": Decimal(1),
        }
        report = await world.answers.transfer_terms(GetTransferTerms(**fields | changes))  # type: ignore[arg-type]
        return report.order is not None, report.why_not

    assert await ask() == (True, "")
    assert "EACH" in (await ask(amount=Decimal(3)))[1]
    assert "DESTINATIONS" in (await ask(asset="ETH"))[1]
    assert "DESTINATIONS" in (await ask(target="gemini"))[1]
    assert "nothing is withdrawn from coinbase" in (await ask(source="coinbase"))[1]
    world.answers.transferring = None
    assert "keys withdraw VENUE" in (await ask())[1]


@pytest.mark.parametrize("point", POINTS)
async def test_ended_at_any_point_it_goes_on_to_its_end_and_sends_nothing_twice(
    world: TransferWorld, point: str
) -> None:
    left = [2 if "keeping" in point else 1]

    def crash(where: str) -> None:
        if where == point:
            left[0] -= 1
            if left[0] == 0:
                raise EndedError

    world.allow()
    world.crash = crash
    kept = await world.until_ended()

    assert kept.ended_ns
    assert world.sent <= 2
    assert all(count == 1 for count in world.signed.values())
    await judge(world, sends=world.sent)


@settings(max_examples=examples(3), deadline=None)
@given(
    source=st.sampled_from(SOURCES),
    lost=st.lists(st.sampled_from(["", "request", "answer", "page"]), max_size=2),
    ends=st.lists(st.tuples(st.sampled_from(POINTS), st.integers(1, 6)), max_size=3),
    back=st.sampled_from([None, Way.FAILED]),
)
async def test_whatever_is_lost_or_ended_each_unit_is_at_one_place_and_no_part_is_sent_twice(
    tmp_path_factory: pytest.TempPathFactory,
    source: str,
    lost: list[str],
    ends: list[tuple[str, int]],
    back: Way | None,
) -> None:
    world = TransferWorld(tmp_path_factory.mktemp("w") / "orders", source=source)
    await world.check()
    world.manner(source, back=back)
    world.lost = lost
    waiting = [list(one) for one in ends]

    def crash(where: str) -> None:
        for one in waiting:
            if one[0] == where:
                one[1] -= 1  # type: ignore[operator]
                if one[1] == 0:
                    raise EndedError

    world.allow()
    world.crash = crash
    await world.until_ended(most_s=7_200)

    assert world.sent <= 2
    assert all(count == 1 for count in world.signed.values())
    await judge(world, sends=world.sent)
    world.book.close()
