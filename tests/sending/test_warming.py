"""Right after a block a route is simulated on that block's state, which was read ahead of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import pytest

from engine.chains.gas.rules import LOCAL_RULE
from engine.chains.ports import Json, NodeError, Refusal
from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.plans import AtomicPlan
from engine.domain.told import Fate
from engine.sending.calls import HeadNow
from engine.sending.desk import ChainDesk
from engine.sending.encoding import calldata
from engine.sending.footprints import CALLS_MAX, Footprints, State
from engine.sending.routes import gain_expected_raw, route_of
from engine.sending.simulating import Simulator
from engine.sending.view import Batches
from engine.sending.warming import WarmSimulator
from tests.sending.sending_world import SendingWorld

pytestmark = pytest.mark.slow

NOWHERE = "http://127.0.0.1:9/"
"""Nobody answers there: what was not read ahead is not to be had."""


@dataclass
class Altered:
    """A node that says of words of storage what they are not, or says no access lists."""

    node: Batches
    says_lists: bool = True
    is_wrong: bool = False
    asked: list[str] = field(default_factory=list)

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        answers = await self.node.batch(asked)
        self.asked += [method for method, _ in asked]
        for index, (method, _) in enumerate(asked):
            if method == "eth_createAccessList" and not self.says_lists:
                answers[index] = NodeError(Refusal.REFUSED, "the method does not exist")
            if method == "eth_getStorageAt" and self.is_wrong:
                answers[index] = f"0x{int(str(answers[index]), 16) * 1001 // 1000:064x}"
        return answers


def simulator(sending: SendingWorld, url: str) -> Simulator:
    return Simulator(
        url,
        LOCAL_RULE.base_fee,
        chain_id=sending.world.world.chain_id,
        block_s=1,
        wallet=sending.wallet,
    )


def call(sending: SendingWorld, desk: ChainDesk, plan: AtomicPlan) -> tuple[str, bytes, int]:
    """Return how a plan is carried out, and what it gains by the contracts' own quotes."""
    route = route_of(plan, sending.handed(plan).pools, desk.terms.route)
    return route.contract, calldata(route), gain_expected_raw(plan, route)


def test_after_each_block_all_that_a_call_reads_is_there_as_of_that_block(
    sending: SendingWorld,
) -> None:
    sending.gap()

    async def work(desk: ChainDesk) -> None:
        node = Altered(desk.view._node)
        warm = WarmSimulator(simulator(sending, NOWHERE), Footprints(node, wallet=sending.wallet))
        contract, data, _ = call(sending, desk, sending.plan("1"))
        warm._footprints.add(contract, data)
        sending.pass_time(2)
        await warm.learn(await desk.view.head())
        gains = []
        for is_told in (True, True, False):  # the last plan is quicker than the news of its block
            sending.gap(5)
            contract, data, gain_raw = call(sending, desk, sending.plan("1"))
            head = await desk.view.head()
            if is_told:
                await warm.ready(head)
            node.asked.clear()
            found = await warm(head, contract, data)
            assert (found.why, found.gain_raw) == ("", gain_raw)
            assert bool(node.asked) is not is_told
            gains.append(gain_raw)
        assert gains == sorted(set(gains))

    sending.run(work)


def test_state_of_another_block_is_refused(sending: SendingWorld) -> None:
    async def work(desk: ChainDesk) -> HeadNow:
        return await desk.view.head()

    head = sending.run(work)

    with pytest.raises(ValueError, match="is not that of"):
        sending.simulator.open(head, State(head="0x" + "12" * 32))


def test_where_nodes_say_no_access_lists_it_is_read_when_it_is_needed(
    sending: SendingWorld,
) -> None:
    sending.gap()

    async def work(desk: ChainDesk) -> None:
        node = Altered(desk.view._node, says_lists=False)
        warm = WarmSimulator(sending.simulator, Footprints(node, wallet=sending.wallet))
        for amount in ("1", "0.9"):
            contract, data, gain_raw = call(sending, desk, sending.plan(amount))
            head = await desk.view.head()
            assert (await warm(head, contract, data)).gain_raw == gain_raw
            await warm.learn(head)
            sending.gap(3)
        assert node.asked.count("eth_createAccessList") == 2
        assert "eth_getStorageAt" not in node.asked

    sending.run(work)


def test_only_the_newest_calls_count(sending: SendingWorld) -> None:
    sending.gap()

    async def work(desk: ChainDesk) -> None:
        prints = Footprints(desk.view._node, wallet=sending.wallet)
        contract, data, _ = call(sending, desk, sending.plan("1"))
        for number in range(CALLS_MAX + 3):
            prints.add(contract, data[:-1] + bytes([number]))
        head = await desk.view.head()
        assert len(prints._of) == CALLS_MAX
        assert await prints.learn() == CALLS_MAX
        assert await prints.learn() == 0
        assert len(prints._of) == 1, "of one route the newest call stands for all"
        prints.add(contract, data)
        await prints.learn()
        state = await prints.read(head)
        assert contract in state.accounts
        assert len(state.words) > len(state.accounts)

    sending.run(work)


def test_what_was_read_ahead_wrongly_disables_no_route(sending: SendingWorld) -> None:
    sending.gap()

    async def work(desk: ChainDesk) -> None:
        first = sending.plan("0.5")
        node = Altered(desk.view._node, is_wrong=True)
        warm = WarmSimulator(sending.simulator, Footprints(node, wallet=sending.wallet))
        contract, data, gain_raw = call(sending, desk, first)
        head = await desk.view.head()
        assert (await warm(head, contract, data)).gain_raw == gain_raw
        await warm.learn(head)
        again = await warm(head, contract, data)
        assert (again.why, again.gain_raw) != ("", gain_raw)
        desk.beginnings.simulate = warm
        sending.table.hand_over(sending.handed(first))
        await desk.step()
        assert sending.life(first).attempts

    sending.run(work)

    assert not any("disabled" in one for one in sending.warnings)


def as_of(plan: AtomicPlan, block: int) -> AtomicPlan:
    return msgspec.structs.replace(plan, deadline_block=block + DEADLINE_BLOCKS)


def test_a_plan_of_a_block_before_is_late_and_its_route_is_not_at_fault(
    sending: SendingWorld,
) -> None:
    sending.gap()

    async def work(desk: ChainDesk) -> None:
        before = (await desk.view.head()).number
        late = as_of(sending.plan(seconds=60), before)
        sending.gap(5)
        sending.table.hand_over(sending.handed(late))
        await desk.step()
        assert sending.news(late)[-1].fate is Fate.NEVER
        assert "as of block" in sending.news(late)[-1].why
        good = as_of(sending.plan(seconds=60), before + 1)
        sending.table.hand_over(sending.handed(good))
        await desk.step()
        assert sending.life(good).attempts

    sending.run(work)

    assert not any("disabled" in one for one in sending.warnings)


def test_a_plan_of_a_block_that_nodes_do_not_show_yet_waits_for_it(sending: SendingWorld) -> None:
    sending.gap()

    async def work(desk: ChainDesk) -> None:
        head = (await desk.view.head()).number
        plan = as_of(sending.plan(seconds=60), head + 1)
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        assert sending.table.life_of(f"{plan.plan_id}-t") is None
        assert not sending.news(plan)
        sending.world.mine()
        await desk.step()
        assert sending.life(plan).attempts

    sending.run(work)


def test_what_a_call_reads_is_learned_while_it_would_not_revert_yet(sending: SendingWorld) -> None:
    sending.gap()

    async def work(desk: ChainDesk) -> None:
        prints = Footprints(desk.view._node, wallet=sending.wallet)
        warm = WarmSimulator(sending.simulator, prints, is_followed=True)
        contract, data, _ = call(sending, desk, sending.plan("2", seconds=4))
        head = await desk.view.head()
        assert not (await warm(head, contract, data)).why
        assert warm._learning is not None
        await warm._learning
        sending.pass_time(40)
        sending.world.mine()
        late = await desk.view.head()
        assert (await warm(late, contract, data)).why
        await warm.learn(late)
        state = await prints.read(late)
        assert len(state.words) > len(state.accounts) > 3

    sending.run(work)


def test_of_a_route_of_other_pools_all_is_read_before_it_is_simulated(
    sending: SendingWorld,
) -> None:
    sending.gap()

    async def work(desk: ChainDesk) -> None:
        node = Altered(desk.view._node)
        prints = Footprints(node, wallet=sending.wallet)
        warm = WarmSimulator(simulator(sending, NOWHERE), prints, is_followed=True)
        head = await desk.view.head()
        sending.pass_time(2)
        contract, data, gain_raw = call(sending, desk, sending.plan("1"))
        assert (await warm(head, contract, data)).gain_raw == gain_raw
        assert node.asked[0] == "eth_createAccessList"
        assert warm._learning is not None
        await warm._learning  # or it asks of the next call too, before or after that is counted

        before = len(node.asked)
        contract, data, gain_raw = call(sending, desk, sending.plan("0.9"))
        assert (await warm(head, contract, data)).gain_raw == gain_raw
        assert len(node.asked) == before, "of the same pools all is there"

    sending.run(work)
