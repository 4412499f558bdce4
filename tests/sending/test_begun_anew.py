"""A local chain is thrown away and begun anew: what was under way ends once, unbooked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.domain.errors import TransientError
from engine.domain.plans import AtomicPlan
from engine.domain.told import Fate
from engine.sandbox.world.anvil import start_anvil
from engine.sandbox.world.building import NODE_OPTIONS, built
from engine.sandbox.world.rpc import Rpc
from engine.sending.desk import ChainDesk
from engine.sending.stages import Stage
from tests.chains.conftest import start_local
from tests.sending.sending_world import ARTIFACT, CHAIN, SendingWorld

pytestmark = pytest.mark.slow


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[SendingWorld]:
    if not ARTIFACT.exists():
        pytest.skip("our contract is not compiled here")
    local = start_local(CHAIN, "--slots-in-an-epoch", "1")
    made = SendingWorld(local, tmp_path)
    yield made
    made.close()
    local.close()


def begin_anew(sending: SendingWorld) -> None:
    """Kill the node, and start another from the state that the first began with."""
    local = sending.world
    node = local.node
    local.rpc.close()
    node.kill()
    local.node = start_anvil(
        chain_id=local.world.chain_id,
        state=built(CHAIN).state,
        port=node.port,
        options=(*NODE_OPTIONS, "--slots-in-an-epoch", "1"),
    )
    local.rpc = Rpc(local.node.url)
    local.mine(3)
    sending.deploy()


async def step(desk: ChainDesk) -> None:
    """Step, once more where the connection to the node that is gone ends by it."""
    try:
        await desk.step()
    except TransientError as error:
        if "disconnected" not in str(error):
            raise
        await desk.step()


async def known(sending: SendingWorld, desk: ChainDesk) -> None:
    """Let the desk know the chain by a block that is this one's alone."""
    for _ in range(20):
        sending.world.mine()
    await desk.step()


def test_what_was_under_way_ends_once_and_nonces_are_the_new_chains(
    sending: SendingWorld,
) -> None:
    sending.gap()
    landed = sending.plan("0.5", seconds=600)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> AtomicPlan:
        await known(sending, desk)
        sending.table.hand_over(sending.handed(landed))
        await desk.step()
        sending.world.mine()
        await desk.step()
        sending.world.mine()
        await desk.step()  # two blocks: it is told, and not final
        waiting = sending.plan("0.4", seconds=600)
        sending.table.hand_over(sending.handed(waiting))
        await desk.step()
        assert sending.life(landed).stage is Stage.CONFIRMED
        begin_anew(sending)
        for _ in range(3):
            await step(desk)
            sending.world.mine()
        return waiting

    waiting = sending.run(work)

    assert [one.fate for one in sending.news(landed)] == [Fate.SUCCEEDED]
    (told,) = sending.news(waiting)
    assert told.fate is Fate.NEVER
    assert told.receipt is None
    assert told.why.startswith("the chain was begun anew: block ")
    assert sending.table.open_lives() == []
    assert sending.life(waiting).stage is sending.life(landed).stage is Stage.ANEW
    assert sending.table.used(sending.world.world.chain_id, sending.wallet, at_least=0) == set()
    assert sum("begun anew" in one for one in sending.warnings) == 1


def test_the_next_plan_counts_from_the_new_chains_nonce(sending: SendingWorld) -> None:
    sending.gap()
    first = sending.plan("0.5", seconds=600)
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        await known(sending, desk)
        sending.table.hand_over(sending.handed(first))
        await desk.step()
        for _ in range(2):
            sending.world.mine()
            await desk.step()
        begin_anew(sending)
        sending.gap()
        # The signer signs no nonce for a second plan: the sandbox lets a new chain count on.
        sending.world.rpc.ask("anvil_setNonce", sending.wallet, hex(1_000))
        second = sending.plan("0.3", seconds=600)
        sending.world.automine(False)
        sending.table.hand_over(sending.handed(second))
        for _ in range(4):
            await step(desk)
            sending.world.mine()
        assert sending.life(second).nonce == 1_000
        assert [one.fate for one in sending.news(second)] == [Fate.SUCCEEDED]

    sending.run(work)

    mark = sending.table.chains.mark(sending.world.world.chain_id)
    assert mark is not None
    assert mark.era == 1


def test_a_sender_that_was_down_meanwhile_sees_it_at_its_next_look(sending: SendingWorld) -> None:
    sending.gap()
    plan = sending.plan("0.5", seconds=600)
    sending.world.automine(False)

    async def before(desk: ChainDesk) -> None:
        await known(sending, desk)
        sending.table.hand_over(sending.handed(plan))
        await desk.step()

    async def after(desk: ChainDesk) -> None:
        await desk.step()

    sending.run(before)
    sending.again()
    begin_anew(sending)
    for _ in range(2):
        sending.run(after)
        sending.again()

    assert [one.fate for one in sending.news(plan)] == [Fate.NEVER]


def test_a_reorganisation_is_no_other_chain(sending: SendingWorld) -> None:
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        await known(sending, desk)
        sending.world.reorg(1)
        await desk.step()

    sending.run(work)

    mark = sending.table.chains.mark(sending.world.world.chain_id)
    assert mark is not None
    assert mark.era == 0
    assert sending.warnings == []


def test_where_a_chain_cannot_begin_anew_nothing_is_sent_to_another(
    sending: SendingWorld,
) -> None:
    sending.world.automine(False)

    async def work(desk: ChainDesk) -> None:
        desk.terms.may_begin_anew = False
        await known(sending, desk)
        begin_anew(sending)
        with pytest.raises(TransientError, match="show another one or none"):
            await step(desk)

    sending.run(work)

    assert any("nothing is sent to another chain" in one for one in sending.warnings)
