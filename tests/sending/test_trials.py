"""Routes are tried on forks of a real chain in each encoding, and nothing of it is sent."""

import msgspec
import pytest

from engine.domain.trials import Trial
from engine.sending.desk import ChainDesk
from engine.sending.trials import OLD_BLOCKS_MAX, Trials
from tests.sending.sending_world import CHAIN, OWNER, SendingWorld

pytestmark = pytest.mark.slow


def test_the_newest_plan_of_a_shape_is_tried_by_each_lender_then_and_now(
    sending: SendingWorld,
) -> None:
    sending.gap()
    sending.world.automine(False)
    plan = sending.plan(seconds=60)

    async def work(desk: ChainDesk) -> list[list[Trial]]:
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
        sending.world.rpc.ask("anvil_mine", hex(OLD_BLOCKS_MAX))
        old = await trials.run()
        owner.send(sending.contract, "unpause()")
        owner.post()
        sending.world.mine()
        again = await trials.run()
        assert sending.count() == count
        return [before, after, old, again]

    before, after, old, again = sending.run(work)

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
    # What nodes have forgotten is tried as it would be sent now: so a shape that is off comes back.
    for trials, why in ((old, "Paused"), (again, "")):
        (one,) = trials
        assert one.is_used
        assert one.is_at_head_alone
        assert (one.block, one.why) == (used.block, "")
        assert why in one.head_why
        assert bool(one.head_why) == bool(why)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(before), type=list[Trial]) == before
