"""The transactions of a plan that has orders beside it, on a real chain with the makers' pools."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from engine.domain.errors import TransientError
from engine.domain.plans import Part
from engine.domain.signing import Purpose, Signed, SigningIntent, SignRefusal
from engine.domain.told import Fate
from engine.sending.allowing_ids import allowing_id
from engine.sending.desk import ChainDesk
from tests.sending.sending_world import SendingWorld
from tests.sending.swapper import ETH, Swapper

pytestmark = pytest.mark.slow


@pytest.fixture
def swapper(sending: SendingWorld) -> Swapper:
    sending.world.automine(False)
    return Swapper(sending)


def run(swapper: Swapper, work: Callable[[ChainDesk], Any], **more: Any) -> Any:
    return swapper.sending.run(work, **more)


def test_what_goes_first_takes_and_brings_what_was_planned_to_the_unit(swapper: Swapper) -> None:
    plan = swapper.plan()
    before = swapper.holds()
    name = swapper.hand_over(plan)

    run(swapper, swapper.blocks)

    after = swapper.holds()
    (news,) = swapper.told(name)
    (allowing,) = swapper.told(allowing_id(name))
    assert news.fate is Fate.SUCCEEDED
    assert news.receipt is not None
    (swap,) = news.receipt.swaps
    assert (swap.amount_in, swap.amount_out) == (Decimal(1), plan.steps[0].amount_out)
    assert before[0] - after[0] == ETH
    assert after[1] - before[1] == int(plan.steps[0].amount_out * 10**6)
    assert swapper.allowed() == 0
    assert allowing.fate is Fate.SUCCEEDED
    assert allowing.chore is not None
    assert allowing.chore.what == f"allowing what {name} takes"
    assert swapper.sending.warnings == []


def test_both_are_in_one_block_with_nonces_that_follow_each_other(swapper: Swapper) -> None:
    name = swapper.hand_over(swapper.plan())

    run(swapper, swapper.blocks)

    lives = [swapper.sending.table.life_of(one) for one in (allowing_id(name), name)]
    assert lives[0] is not None
    assert lives[1] is not None
    assert lives[1].nonce == lives[0].nonce + 1
    assert lives[0].landed is not None
    assert lives[1].landed is not None
    assert lives[0].landed.block == lives[1].landed.block
    spent = sum(
        one.attempts[-1].bid.gas_limit * one.attempts[-1].bid.fee_wei for one in lives if one
    )
    plan = swapper.sending.table.handed(name)
    assert plan is not None
    assert spent <= int(plan.plan.gas.amount * 10**18)


def test_what_follows_on_orders_takes_less_and_has_a_time_of_its_own(swapper: Swapper) -> None:
    plan = swapper.plan(first=Part.ORDERS)
    late = msgspec.structs.replace(plan, deadline_ns=plan.decided_at_ns + 100 * 10**9)
    swapper.sending.has_orders = True
    swapper.sending.shift_ns = 120 * 10**9
    before = swapper.holds()
    name = swapper.hand_over(
        late, amount_in=Decimal("0.25"), until_ns=plan.decided_at_ns + 200 * 10**9
    )

    run(swapper, swapper.blocks)

    (news,) = swapper.told(name)
    assert news.fate is Fate.SUCCEEDED, news
    assert news.receipt is not None
    (swap,) = news.receipt.swaps
    assert swap.amount_in == Decimal("0.25")
    assert swap.amount_out >= late.with_input(Decimal("0.25")).steps[0].amount_out_min
    assert before[0] - swapper.holds()[0] == ETH // 4


def test_what_follows_on_orders_of_which_none_was_signed_is_not_signed(swapper: Swapper) -> None:
    before = swapper.holds()
    name = swapper.hand_over(swapper.plan(first=Part.ORDERS), amount_in=Decimal("0.25"))

    run(swapper, swapper.blocks)

    (news,) = swapper.told(name)
    assert news.fate is Fate.NEVER
    assert "it follows on orders, of which none was signed" in news.why
    assert swapper.holds() == before


def test_what_gives_otherwise_than_planned_is_never_signed(swapper: Swapper) -> None:
    plan = swapper.plan()
    (step,) = plan.steps
    other = msgspec.structs.replace(step, amount_out=step.amount_out + Decimal("0.000001"))
    before, count = swapper.holds(), swapper.sending.count()
    name = swapper.hand_over(msgspec.structs.replace(plan, steps=(other,)))

    run(swapper, swapper.blocks)

    (news,) = swapper.told(name)
    assert news.fate is Fate.NEVER
    assert "planned are" in news.why
    assert (swapper.holds(), swapper.sending.count()) == (before, count)


def test_a_swap_that_reverts_takes_nothing_and_its_allowance_is_taken_back(
    swapper: Swapper,
) -> None:
    before = swapper.holds()
    name = swapper.hand_over(swapper.plan())

    async def work(desk: ChainDesk) -> None:
        await desk.step()  # both are signed and wait for a block
        swapper.rushed()
        await swapper.blocks(desk, 6)

    run(swapper, work)

    news = swapper.told(name)[-1]
    assert news.fate is Fate.REVERTED
    assert news.receipt is not None
    assert news.receipt.swaps == ()
    assert news.receipt.gas > 0
    assert swapper.holds() == before
    assert swapper.allowed() == 0


def test_a_refused_swap_leaves_no_allowance_behind(swapper: Swapper) -> None:
    sending = swapper.sending
    before = swapper.holds()
    signing = sending.ask

    async def ask(intent: SigningIntent) -> Signed | SignRefusal:
        if intent.purpose is Purpose.ROUTE:
            intent = msgspec.structs.replace(intent, code_hash="0x" + "00" * 32)
        return await signing(intent)

    async def work(desk: ChainDesk) -> None:
        desk.signatures.ask = ask
        await swapper.blocks(desk, 5)

    name = swapper.hand_over(swapper.plan())
    run(swapper, work)

    assert swapper.told(name)[-1].fate is Fate.NEVER
    assert swapper.holds() == before
    assert swapper.allowed() == 0


def test_an_allowance_that_an_end_in_between_left_is_taken_back_by_the_next(
    swapper: Swapper,
) -> None:
    sending = swapper.sending
    signing = sending.ask
    name = swapper.hand_over(swapper.plan())

    async def ask(intent: SigningIntent) -> Signed | SignRefusal:
        if intent.purpose is Purpose.ROUTE:
            intent = msgspec.structs.replace(intent, code_hash="0x" + "00" * 32)
        return await signing(intent)

    def crash(where: str) -> None:
        if where == "kept" and swapper.told(name):
            raise EndedError

    async def work(desk: ChainDesk) -> None:
        desk.signatures.ask = ask
        await swapper.blocks(desk, 4)

    with pytest.raises(EndedError):
        run(swapper, work, crash=crash)
    sending.world.mine()
    left = swapper.allowed()
    sending.again()
    run(swapper, work)

    assert left == ETH
    assert swapper.allowed() == 0
    assert swapper.told(name)[-1].fate is Fate.NEVER
    spent = [one.data[:4] for one in sending.table.newest_lives(10)]
    assert len(spent) == 2, "it is taken back once"


def test_a_swap_has_no_nonce_before_what_allows_it_is_signed(swapper: Swapper) -> None:
    sending = swapper.sending
    signing, waits = sending.ask, [True]
    name = swapper.hand_over(swapper.plan())

    async def ask(intent: SigningIntent) -> Signed | SignRefusal:
        if waits and intent.purpose is Purpose.ALLOW:
            raise TransientError("the signer is away")
        return await signing(intent)

    async def work(desk: ChainDesk) -> bool:
        desk.signatures.ask = ask
        await desk.step()
        is_reserved = sending.table.life_of(name) is not None
        waits.clear()
        await swapper.blocks(desk)
        return is_reserved

    assert not run(swapper, work)
    assert [one.fate for one in swapper.told(name)] == [Fate.SUCCEEDED]
    assert swapper.allowed() == 0


class EndedError(Exception):
    """The process ends here."""


@pytest.mark.parametrize(
    "every", [pytest.param(1, marks=pytest.mark.campaign), 4], ids=["each", "every fourth"]
)
def test_wherever_it_ends_a_plan_is_carried_out_once(swapper: Swapper, every: int) -> None:
    sending = swapper.sending
    point, seen = 0, 1
    while point < seen:
        name = swapper.hand_over(swapper.plan("0.01"))
        before = swapper.holds()
        seen = 0
        ends_at = point

        def crash(_where: str, ends_at: int = ends_at) -> None:
            nonlocal seen
            seen += 1
            if seen == ends_at + 1:
                raise EndedError

        async def work(desk: ChainDesk) -> None:
            await swapper.blocks(desk, 4)

        try:
            run(swapper, work, crash=crash)
        except EndedError:
            seen = point + every + 1
        sending.again()
        run(swapper, work)

        after = swapper.holds()
        fates = [one.fate for one in swapper.told(name)]
        lives = [sending.table.life_of(one) for one in (allowing_id(name), name)]
        assert fates == [Fate.SUCCEEDED], (point, lives)
        assert before[0] - after[0] == ETH // 100
        assert swapper.allowed() == 0
        point += every
    assert point > 10


def test_a_block_that_is_undone_takes_both_back_and_both_land_again(swapper: Swapper) -> None:
    sending = swapper.sending
    before = swapper.holds()
    name = swapper.hand_over(swapper.plan())

    async def work(desk: ChainDesk) -> None:
        await desk.step()
        snapshot = sending.world.snapshot()
        sending.world.mine()
        await desk.step()
        sending.world.revert(snapshot)
        sending.world.mine()
        await swapper.blocks(desk, 6)

    run(swapper, work)

    news = swapper.told(name)
    assert news[-1].fate is Fate.SUCCEEDED
    assert before[0] - swapper.holds()[0] == ETH
    assert swapper.allowed() == 0
