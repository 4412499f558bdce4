"""Routes are tried on forks of a real chain in each encoding, and nothing of it is sent."""

import msgspec
import pytest

from engine.domain.trials import Trial
from engine.sending.desk import ChainDesk
from engine.sending.trials import Trials
from tests.sending.sending_world import CHAIN, OWNER, SendingWorld

pytestmark = pytest.mark.slow


def test_the_newest_plan_of_a_shape_is_tried_by_each_lender_then_and_now(
    sending: SendingWorld,
) -> None:
    sending.gap()
    sending.world.automine(False)
    plan = sending.plan(seconds=60)

    async def work(desk: ChainDesk) -> tuple[list[Trial], list[Trial]]:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        for _ in range(3):
            sending.world.mine()
            await desk.step()
        trials = Trials(
            chain=CHAIN,
            terms=desk.terms.route,
            table=sending.table,
            view=desk.view,
            simulate=desk.simulate,
        )
        count = sending.count()
        before = await trials.run()
        owner = sending.world.hands(OWNER)
        owner.send(sending.contract, "pause()")
        owner.post()
        sending.world.mine()
        after = await trials.run()
        assert sending.count() == count
        return before, after

    before, after = sending.run(work)

    by_lender = {one.lender: one for one in before}
    used = by_lender["first_hop"]
    assert used.is_used
    assert {one.lender for one in before if one.is_used} == {"first_hop"}
    assert "aave_v3" in by_lender
    assert [one.shape for one in before] == ["uniswap_v3 > uniswap_v2"] * len(before)
    assert by_lender["first_hop"].why == by_lender["aave_v3"].why == ""
    assert by_lender["aave_v3"].gas > used.gas > 100_000
    assert used.planned_gas == plan.gas.units
    assert used.head_why == ""
    (paused,) = [one for one in after if one.is_used]
    assert paused.why == ""
    assert "Paused" in paused.head_why
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(before), type=list[Trial]) == before
