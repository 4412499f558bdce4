"""What is simulated is the next block's: it equals what the chain then does, and leaves nothing."""

import pytest

from engine.sending.desk import ChainDesk
from engine.sending.encoding import calldata
from engine.sending.routes import gain_expected_raw, route_of
from engine.sending.simulating import Simulated
from tests.sending.sending_world import SendingWorld

pytestmark = pytest.mark.slow


def simulated(sending: SendingWorld, amount: str, times: int = 1) -> list[Simulated]:
    """Simulate a plan on the newest block."""
    plan = sending.plan(amount)

    async def work(desk: ChainDesk) -> list[Simulated]:
        head = await desk.view.head()
        route = route_of(plan, sending.handed(plan).pools, desk.terms.route)
        data = calldata(route)
        found = [sending.simulator.simulate(head, route.contract, data) for _ in range(times)]
        assert found[0].gain_raw == gain_expected_raw(plan, route)
        return found

    found: list[Simulated] = sending.run(work)
    return found


def test_the_same_call_gives_the_same_however_often_and_leaves_nothing(
    sending: SendingWorld,
) -> None:
    sending.gap()

    first, *others = simulated(sending, "2", times=4)

    assert first.why == ""
    assert all(one == first for one in others)


def test_after_a_block_the_state_is_that_blocks(sending: SendingWorld) -> None:
    sending.gap()
    before = simulated(sending, "1")[0]
    sending.gap(5)
    after = simulated(sending, "1")[0]

    assert after.gain_raw > before.gain_raw


def test_where_there_is_no_contract_of_ours_that_is_said(sending: SendingWorld) -> None:
    async def work(desk: ChainDesk) -> Simulated:
        return sending.simulator.simulate(await desk.view.head(), "0x" + "99" * 20, b"\1\2\3\4")

    assert "no contract of ours" in sending.run(work).why
