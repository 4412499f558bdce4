"""From a plan to its booked gain on a real chain: once, to the wei, whatever the chain does."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec
import pytest

from engine.chains.ports import Json, NodeError
from engine.domain.errors import TransientError
from engine.domain.handed import Handed
from engine.domain.plans import AtomicPlan
from engine.domain.routes_on_chain import ChainRoute, SourceKind
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.tokens import NATIVE_ADDRESS
from engine.domain.told import Fate
from engine.sending.desk import ChainDesk
from engine.sending.encoding import calldata
from engine.sending.routes import gain_expected_raw, route_of
from engine.sending.stages import Stage
from engine.sending.view import Batches
from tests.sending.sending_world import SendingWorld

pytestmark = pytest.mark.slow


async def blocks(sending: SendingWorld, desk: ChainDesk, count: int) -> None:
    """Let blocks come, and the desk look at each."""
    for _ in range(count):
        sending.world.mine()
        await desk.step()


def gas_spent(sending: SendingWorld, *, had_wei: int = 10**18) -> Decimal:
    has_wei = int(sending.world.rpc.ask("eth_getBalance", sending.wallet, "latest"), 16)
    return Decimal(had_wei - has_wei).scaleb(-18)


def test_a_plan_earns_what_it_says_to_the_wei(sending: SendingWorld) -> None:
    sending.gap()
    before_raw = sending.kept_raw()
    plan = sending.plan()
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        for _ in range(3):
            sending.world.mine()
            await desk.step()

    sending.run(work)

    (told,) = sending.news(plan)
    expected_raw = gain_expected_raw(plan, sending.route(plan))
    assert told.fate is Fate.SUCCEEDED
    assert told.receipt is not None
    assert sending.kept_raw() - before_raw == expected_raw
    first, last = told.receipt.swaps[0], told.receipt.swaps[-1]
    gain = last.amount_out - first.amount_in - told.receipt.flash_fee
    assert gain == Decimal(expected_raw).scaleb(-18)
    assert [one.amount_out for one in told.receipt.swaps] == [one.amount_out for one in plan.steps]
    spent_wei = 10**18 - int(sending.world.rpc.ask("eth_getBalance", sending.wallet, "latest"), 16)
    assert told.receipt.gas == Decimal(spent_wei).scaleb(-18)
    assert sending.warnings == []


def test_what_the_simulation_contradicts_is_never_sent_and_its_route_is_disabled(
    sending: SendingWorld,
) -> None:
    sending.gap()
    plan, later = sending.plan(), sending.plan()
    wrong = msgspec.structs.replace(
        plan.steps[1], amount_out=plan.steps[1].amount_out + Decimal("1e-18")
    )
    lying = msgspec.structs.replace(plan, steps=(plan.steps[0], wrong))

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(lying))
        await desk.step()
        sending.table.hand_over(sending.handed(later))
        await desk.step()

    sending.run(work)

    (first,), (second,) = sending.news(plan), sending.news(later)
    assert first.fate is second.fate is Fate.NEVER
    assert "the contracts give" in first.why
    assert "disabled" in second.why
    assert sending.count() == 0
    assert any("is disabled" in one for one in sending.warnings)


def test_what_would_revert_costs_nothing(sending: SendingWorld) -> None:
    plan = sending.plan()  # there is no gap

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()

    sending.run(work)

    (told,) = sending.news(plan)
    assert told.fate is Fate.NEVER
    assert told.why.startswith("it reverts")
    assert sending.count() == 0


def test_a_plan_that_comes_too_late_is_not_signed(sending: SendingWorld) -> None:
    sending.gap()
    plan = sending.plan(seconds=1)
    sending.shift_ns = 2 * 10**9

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()

    sending.run(work)

    (told,) = sending.news(plan)
    assert "its time was over" in told.why
    assert sending.count() == 0


def test_a_kill_leaves_the_nonce_to_the_next_plan(sending: SendingWorld) -> None:
    sending.gap()
    killed, plan = sending.plan(), sending.plan()
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        sending.refusal = SignRefusal(kind=RefusalKind.KILLED, detail="killed: by hand")
        sending.table.hand_over(sending.handed(killed))
        await desk.step()
        sending.refusal = None
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        await blocks(sending, desk, 3)

    sending.run(work)

    assert [one.fate for one in sending.news(killed)] == [Fate.NEVER]
    assert [one.fate for one in sending.news(plan)] == [Fate.SUCCEEDED]
    assert sending.life(plan).nonce == 0


def test_what_a_rival_takes_first_reverts_and_costs_its_gas_alone(sending: SendingWorld) -> None:
    sending.gap()
    plan = sending.plan()
    sending.world.automine(False)
    before_raw = sending.kept_raw()

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        rival = sending.world.trader(1)
        rival.hands.fees = {"maxFeePerGas": hex(10**12), "maxPriorityFeePerGas": hex(10**11)}
        usdc = sending.world.token("USDC").address
        rival.swap(sending.pair, usdc, sending.world.raw("USDC", 80_000))
        rival.hands.post()
        await blocks(sending, desk, 3)

    sending.run(work)

    (told,) = sending.news(plan)
    assert told.fate is Fate.REVERTED
    assert told.receipt is not None
    assert told.receipt.swaps == ()
    assert told.receipt.gas == gas_spent(sending)
    assert sending.kept_raw() == before_raw


def test_a_stuck_one_is_replaced_within_what_its_plan_allows(sending: SendingWorld) -> None:
    sending.gap()
    plan = sending.plan(seconds=60)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        for _ in range(4):
            sending.base_fee(2)
            sending.world.mine()
            await desk.step()
        await blocks(sending, desk, 4)

    sending.run(work)

    life = sending.life(plan)
    assert len(life.attempts) > 1
    assert [one.fate for one in sending.news(plan)] == [Fate.SUCCEEDED]
    assert all(one.bid.most_wei <= 400_000 * 50 * 10**9 for one in life.attempts)
    assert sending.executions() == 1


def test_one_that_is_too_late_is_cancelled_and_costs_a_transfer_of_nothing(
    sending: SendingWorld,
) -> None:
    sending.gap()
    plan = sending.plan()
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        sending.base_fee(400)
        sending.pass_time(120)
        await blocks(sending, desk, 1)
        sending.base_fee(0.01)
        await blocks(sending, desk, 3)

    sending.run(work)

    (told,) = sending.news(plan)
    assert told.fate is Fate.CANCELLED
    assert told.receipt is not None
    assert told.receipt.gas == gas_spent(sending)
    assert sending.executions() == 0


def test_a_dropped_one_is_sent_again_byte_for_byte(sending: SendingWorld) -> None:
    sending.gap()
    plan = sending.plan(seconds=60)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        sending.world.rpc.ask("anvil_dropTransaction", sending.life(plan).hashes[0])
        await desk.step()
        await blocks(sending, desk, 3)

    sending.run(work)

    assert [one.fate for one in sending.news(plan)] == [Fate.SUCCEEDED]
    assert len(sending.life(plan).attempts) == 1
    assert sending.executions() == 1


@pytest.mark.parametrize("depth", [1, 2])
def test_what_a_reorganisation_takes_out_lands_again_and_is_told_as_it_is(
    sending: SendingWorld, depth: int
) -> None:
    sending.gap()
    plan = sending.plan(seconds=60)
    sending.world.automine(False)
    before_raw = sending.kept_raw()

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        await blocks(sending, desk, depth)
        sending.world.reorg(depth)
        await desk.step()
        await blocks(sending, desk, 6)

    sending.run(work)

    fates = [one.fate for one in sending.news(plan)]
    told_first = [Fate.SUCCEEDED, Fate.UNDONE] if depth == 2 else []
    assert fates == [*told_first, Fate.SUCCEEDED]
    assert sending.executions() == 1
    assert sending.life(plan).stage is Stage.FINAL
    expected_raw = gain_expected_raw(plan, sending.route(plan))
    assert sending.kept_raw() - before_raw == expected_raw


def test_a_nonce_that_another_holder_of_the_key_used_ends_the_plan_unsent(
    sending: SendingWorld,
) -> None:
    sending.gap()
    plan, later = sending.plan(seconds=60), sending.plan(seconds=60)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        sending.world.rpc.ask("anvil_dropTransaction", sending.life(plan).hashes[0])
        sending.foreign(0)
        await blocks(sending, desk, 1)
        taken = sending.life(plan).stage
        sending.table.hand_over(sending.handed(later))
        await desk.step()
        await blocks(sending, desk, 6)
        assert taken is Stage.TAKEN

    sending.run(work)

    (told,) = sending.news(plan)
    assert told.fate is Fate.NEVER
    assert any("never signed" in one for one in sending.warnings)
    assert sending.life(later).nonce == 1
    assert [one.fate for one in sending.news(later)] == [Fate.SUCCEEDED]


def test_an_underpriced_replacement_is_raised_until_the_node_takes_it(
    sending: SendingWorld,
) -> None:
    sending.gap()
    plan = sending.plan(seconds=60, price_gwei=1_000)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        sending.foreign(0, tip_gwei=0.002)
        sending.table.hand_over(sending.handed(plan))
        for _ in range(90):
            await desk.step()
            if sending.life(plan).stage is Stage.PENDING:
                break
        await blocks(sending, desk, 3)

    sending.run(work)

    life = sending.life(plan)
    assert len(life.attempts) > 1
    assert all(
        after.bid.outbids(before.bid)
        for before, after in zip(life.attempts, life.attempts[1:], strict=False)
    )
    assert len(sending.news(plan)) == 1


def test_without_gas_money_a_person_is_told_and_it_goes_on_once_there_is_some(
    sending: SendingWorld,
) -> None:
    sending.gap()
    plan = sending.plan(seconds=60)
    sending.world.automine(False)
    rpc = sending.world.rpc

    async def work(desk: ChainDesk) -> None:
        rpc.ask("anvil_setBalance", sending.wallet, hex(10**9))
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        await desk.step()
        rpc.ask("anvil_setBalance", sending.wallet, hex(10**18))
        await desk.step()
        await blocks(sending, desk, 3)

    sending.run(work)

    assert any("out of gas money" in one for one in sending.warnings)
    assert [one.fate for one in sending.news(plan)] == [Fate.SUCCEEDED]


def test_a_killed_node_loses_nothing_that_is_known(sending: SendingWorld) -> None:
    sending.gap()
    plan = sending.plan(seconds=60)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        sending.world.node.kill()
        with pytest.raises(TransientError):
            await desk.step()

    sending.run(work)

    assert len(sending.life(plan).attempts) == 1
    assert sending.news(plan) == []


class OtherBranch:
    """A node that goes on telling of what it saw in a block that is gone."""

    def __init__(self, node: Batches) -> None:
        self._node = node
        self.kept: dict[str, Json] = {}

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        answers = await self._node.batch(asked)
        for index, (method, params) in enumerate(asked):
            if method == "eth_getTransactionReceipt":
                found = answers[index] or self.kept.get(str(params[0]))
                answers[index] = self.kept[str(params[0])] = found  # type: ignore[assignment]
        return answers


def test_a_receipt_of_another_branch_is_none(sending: SendingWorld) -> None:
    sending.gap()
    plan = sending.plan(seconds=60)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        desk.view._node = OtherBranch(desk.view._node)
        sending.table.hand_over(sending.handed(plan))
        await desk.step()
        await blocks(sending, desk, 1)
        assert sending.life(plan).stage is Stage.MINED
        sending.world.reorg(1)
        sending.world.rpc.ask("anvil_dropAllTransactions")
        await desk.step()
        assert sending.life(plan).landed is None

    sending.run(work)

    assert any("is gone" in one for one in sending.warnings)


def test_a_kill_after_a_lost_signature_does_not_give_its_nonce_away(sending: SendingWorld) -> None:
    sending.gap()
    plan = sending.plan(seconds=60)
    sending.world.automine(False)

    def lose(where: str) -> None:
        if where == "signed":
            raise KeyboardInterrupt

    async def first(desk: ChainDesk) -> None:
        sending.table.hand_over(sending.handed(plan))
        await desk.step()

    async def second(desk: ChainDesk) -> None:
        sending.refusal = SignRefusal(kind=RefusalKind.KILLED, detail="killed: by hand")
        await desk.step()
        waits = sending.life(plan)
        sending.refusal = None
        await desk.step()
        await blocks(sending, desk, 3)
        assert waits.stage is Stage.RESERVED

    with pytest.raises(KeyboardInterrupt):
        sending.run(first, crash=lose)
    sending.again()
    sending.run(second)

    assert [one.fate for one in sending.news(plan)] == [Fate.SUCCEEDED]
    assert sending.executions() == 1


@pytest.mark.parametrize(
    ("dex", "coin", "source", "amount_in", "rounded_raw"),
    [
        ("Uniswap V4", True, SourceKind.FIRST_HOP, "0.5", 0),
        # Of five hundredths of a unit a lender may ask a whole one, and of more of it too: this
        # Aave rounds to the nearest, later ones up.
        ("Balancer V2, weighted", False, SourceKind.AAVE_V3, "0.5000000000000011", 0),
        ("Balancer V2, weighted", False, SourceKind.AAVE_V3, "0.5000000000000001", 1),
        ("Fork V2", False, SourceKind.FIRST_HOP, "0.5", 0),
    ],
)
def test_a_route_through_any_make_of_pool_earns_what_its_simulation_says(
    sending: SendingWorld,
    dex: str,
    *,
    coin: bool,
    source: SourceKind,
    amount_in: str,
    rounded_raw: int,
) -> None:
    sending.gap()
    first = next(
        one
        for one in sending.world.made.pools_of(dex)
        if sending.world.token("USDC").address in one.tokens
        and len(one.tokens) == 2
        and (NATIVE_ADDRESS if coin else sending.weth) in one.tokens
    )
    handed = sending.handed_by(first, sending.plan(amount_in, seconds=60))
    before_raw = sending.kept_raw()
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> int:
        told = await simulated(sending, desk, handed)
        plan = handed.plan
        fee_raw = told.route.source.fee_raw
        back_raw = told.route.source.amount_raw + fee_raw + told.gain_raw - rounded_raw
        last = msgspec.structs.replace(
            plan.steps[1], amount_out=Decimal(back_raw).scaleb(-18), amount_out_min=Decimal(0)
        )
        exact = msgspec.structs.replace(plan, steps=(plan.steps[0], last))
        sending.table.hand_over(msgspec.structs.replace(handed, plan=exact))
        await desk.step()
        await blocks(sending, desk, 3)
        assert told.route.source.kind is source
        return told.gain_raw

    gain_raw = sending.run(work)

    assert isinstance(handed.plan, AtomicPlan)
    (news,) = sending.news(handed.plan)
    assert news.fate is Fate.SUCCEEDED, news
    assert sending.kept_raw() - before_raw == gain_raw
    assert news.receipt is not None
    swaps = news.receipt.swaps
    gain = swaps[-1].amount_out - swaps[0].amount_in - news.receipt.flash_fee
    assert gain == Decimal(gain_raw).scaleb(-18)


@dataclass
class Told:
    route: ChainRoute
    gain_raw: int


async def simulated(sending: SendingWorld, desk: ChainDesk, handed: Handed) -> Told:
    """Ask the contracts what a route gains now."""
    assert isinstance(handed.plan, AtomicPlan)
    route = route_of(handed.plan, handed.pools, desk.terms.route)
    route = msgspec.structs.replace(route, profit_min_raw=1)
    found = await desk.simulate(await desk.view.head(), route.contract, calldata(route))
    assert found.why == ""
    return Told(route, found.gain_raw)
