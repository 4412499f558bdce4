"""On a real chain: what trades were, who was in front, and all of it once in the table."""

from decimal import Decimal

import msgspec
import pytest

from engine.domain.plans import AtomicPlan
from engine.domain.told import Fate
from engine.domain.truths import Step, Truth, TruthCause
from engine.sending.desk import ChainDesk
from engine.sending.footprints import Footprints
from engine.sending.simulating import Simulator
from engine.sending.truth_desk import TruthDesk
from engine.sending.truth_table import TruthTable
from engine.sending.warming import WarmSimulator
from tests.sending.sending_world import CHAIN, SendingWorld
from tests.sending.test_on_a_real_chain import blocks

pytestmark = pytest.mark.slow


def truths_of(sending: SendingWorld, desk: ChainDesk, table: TruthTable) -> TruthDesk:
    behind = Simulator(
        sending.world.node.url,
        desk.terms.rule.base_fee,
        chain_id=sending.world.world.chain_id,
        block_s=1,
        wallet=sending.wallet,
    )

    return TruthDesk(
        chain=CHAIN,
        terms=desk.terms.route,
        table=sending.table,
        truths=table,
        view=desk.view,
        simulate=WarmSimulator(behind, Footprints(desk.view._node, wallet=sending.wallet)),
    )


def causes(truth: Truth, step: Step) -> set[TruthCause]:
    return {one.cause for one in truth.differences if one.step is step}


class Course:
    """One trade after the other, each with another end; what was before is too far back to be seen.

    Attributes:
        plans: captured, raced by a rival in its block, stale, and of a pool that lies.
    """

    def __init__(self, sending: SendingWorld, table: TruthTable) -> None:
        self.sending = sending
        self.table = table
        self.plans = [sending.plan()]

    async def run(self, desk: ChainDesk) -> int:
        sending = self.sending
        await self.send(desk, self.plans[0])
        await blocks(sending, desk, 3)
        self.plans.append(sending.plan())
        await self.send(desk, self.plans[1])
        self.close_gap()
        await blocks(sending, desk, 3)
        await self.gap(desk)
        self.plans.append(sending.plan(seconds=60))
        self.close_gap()
        sending.world.mine()
        await self.send(desk, self.plans[2])
        await self.gap(desk)
        self.plans.append(lying(sending.plan(seconds=60)))
        await self.send(desk, self.plans[3])
        looking = truths_of(sending, desk, self.table)
        return await looking.step() + await looking.step()

    async def send(self, desk: ChainDesk, plan: AtomicPlan) -> None:
        self.sending.table.hand_over(self.sending.handed(plan))
        await desk.step()

    async def gap(self, desk: ChainDesk) -> None:
        self.sending.gap_mined(30)
        await blocks(self.sending, desk, 5)

    def close_gap(self) -> None:
        rival = self.sending.world.trader(1)
        rival.hands.fees = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11)}
        token = self.sending.world.token("USDC").address
        rival.swap(self.sending.pair, token, self.sending.world.raw("USDC", 80_000))
        rival.hands.post()


def lying(plan: AtomicPlan) -> AtomicPlan:
    """Return a plan whose last pool gives a unit less than its formula says."""
    last = plan.steps[1]
    more = msgspec.structs.replace(last, amount_out=last.amount_out + Decimal("1e-18"))
    return msgspec.structs.replace(plan, steps=(plan.steps[0], more))


def test_each_trade_is_told_with_its_causes_and_with_who_was_in_front(
    sending: SendingWorld,
) -> None:
    table = TruthTable(sending.folder / "truths.sqlite3")
    sending.gap()
    sending.world.automine(False)
    course = Course(sending, table)

    worked = sending.run(course.run)

    found = {
        one.plan_id: one
        for _, content in table.unkept()
        for one in [msgspec.json.decode(content, type=Truth)]
    }
    table.close()
    assert worked == len(course.plans) == len(found)
    won, lost, moved, odd = (found[one.plan_id] for one in course.plans)
    assert won.fate is Fate.SUCCEEDED
    assert won.simulated is not None
    assert won.realised.gain_raw == won.simulated.gain_raw == won.predicted.gain_raw
    assert causes(won, Step.REALISED) <= {TruthCause.GAS}
    assert won.ahead_count == 0
    assert lost.fate is Fate.REVERTED
    assert TruthCause.ORDER in causes(lost, Step.REALISED)
    assert TruthCause.STATE not in causes(lost, Step.REALISED)
    assert [one.sender for one in lost.ahead] == [sending.world.made.accounts[1].lower()]
    assert lost.ahead[0].pools == (sending.pair.address,)
    assert lost.ahead[0].place < (lost.place or 0)
    assert moved.fate is Fate.NEVER
    assert TruthCause.STATE in causes(moved, Step.SIMULATED) | causes(moved, Step.REALISED)
    assert TruthCause.TOKEN in causes(odd, Step.SIMULATED)
