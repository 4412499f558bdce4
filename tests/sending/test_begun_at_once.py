"""A plan of a block that nodes told of and a step looked at is begun with nothing asked of them;
and nothing is asked of the signer that a loss of power could forget."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from engine.chains.ports import Json, NodeError
from engine.domain.errors import FatalError, TransientError
from engine.domain.handed import Handed
from engine.domain.signing import Signed, SigningIntent, SignRefusal
from engine.domain.told import Asked
from engine.sending import table_file
from engine.sending.allowing_ids import allowing_id
from engine.sending.calls import HeadNow
from engine.sending.desk import ChainDesk
from engine.sending.encoding import allow_calldata
from engine.sending.facts import Draft, Life, Look
from engine.sending.simulating import Simulated
from engine.sending.stages import Stage
from engine.sending.view import Batches
from engine.wiring.sender_answers import SenderAnswers
from tests.patience import PATIENCE_S
from tests.sending.crashes.moody import Mood
from tests.sending.crashes.world import NS, CrashWorld, run
from tests.signing.intents import CHAIN, CONTRACT, WETH


@dataclass
class Noted:
    """A node, and how often it was asked."""

    node: Batches
    asked: list[str] = field(default_factory=list)

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        self.asked += [method for method, _ in asked]
        return await self.node.batch(asked)


class Place:
    """A desk that has looked at the newest block, and was told of it."""

    def __init__(self, folder: Path) -> None:
        self.world = CrashWorld(folder, 1)
        self.desk: ChainDesk = self.world.desk(lambda _where: None)
        self.node = Noted(self.desk.view._node)
        self.desk.view._node = self.node
        self.asked_before_signing: list[int] = []
        self.was_synced: list[bool] = []
        self.desk.signatures.ask = self.ask
        self.shift_ns = 0
        self.desk.now_ns = lambda: self.world.now_ns() + self.shift_ns
        self.desk.hear(self.world.chain.head.hash)
        run(self.desk.step())
        self.node.asked.clear()
        self.handed = self.world.handed(0, seconds=30)

    async def ask(self, intent: SigningIntent) -> Signed | SignRefusal:
        self.asked_before_signing.append(len(self.node.asked))
        self.was_synced.append(self.world.table.file.is_synced)
        return await self.world.ask(intent)

    def begin(self, handed: Handed | None = None) -> None:
        self.world.table.hand_over(handed or self.handed)
        run(self.desk.begin_at_once())

    @property
    def is_begun(self) -> bool:
        return self.world.table.life_of(self.handed.client_order_id) is not None


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.world.close()


def test_nothing_is_asked_of_nodes_from_the_hand_over_until_it_is_signed(place: Place) -> None:
    place.begin()

    assert place.asked_before_signing == [0]
    assert place.node.asked == ["eth_sendRawTransaction"]


def test_the_signer_is_asked_for_nothing_that_a_loss_of_power_could_forget(place: Place) -> None:
    place.begin()

    assert place.was_synced == [True]


def test_nothing_is_sent_before_its_signature_is_synced(place: Place) -> None:
    synced: list[bool] = []
    send = place.desk.view.send

    async def noted(raw: bytes) -> object:
        synced.append(place.world.table.file.is_synced)
        return await send(raw)

    place.desk.view.send = noted  # type: ignore[method-assign, assignment]
    place.begin()

    assert synced == [True]


def test_a_disk_that_syncs_nothing_has_nothing_signed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_file: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(table_file, "_sync", fails)

    with pytest.raises(FatalError, match="nothing is sent"):
        place.begin()
    assert place.asked_before_signing == []


def test_as_of_a_block_that_another_one_came_after_nothing_is_begun(place: Place) -> None:
    place.world.chain.mine(most=0)
    place.desk.hear(place.world.chain.head.hash)
    place.begin()
    was_begun = place.is_begun

    run(place.desk.step())

    assert (was_begun, place.is_begun) == (False, True)


def test_where_nobody_tells_of_blocks_nodes_are_asked(place: Place) -> None:
    place.desk.hear("")

    place.begin()

    assert not place.is_begun


def test_as_of_a_block_after_which_another_one_is_due_nothing_is_begun(place: Place) -> None:
    place.shift_ns = 3 * NS

    place.begin()

    assert not place.is_begun


def test_what_a_person_asked_for_goes_first(place: Place) -> None:
    asked = Asked(
        command_id="c1", chain=CHAIN, is_pause=True, by="maria", at_ns=place.world.now_ns()
    )
    place.world.table.asked.keep(asked)

    place.begin()

    assert not place.is_begun


def test_a_step_that_breaks_off_leaves_nothing_to_begin_by(place: Place) -> None:
    place.world.node.mood = Mood.AWAY
    with pytest.raises(TransientError, match="no answer"):
        run(place.desk.step())
    place.world.node.mood = Mood.HONEST

    place.begin()

    assert not place.is_begun


def test_of_two_plans_of_one_block_each_has_its_nonce(place: Place) -> None:
    second = place.world.handed(1, seconds=30)

    place.begin()
    place.begin(second)

    lives = place.world.table.newest_lives(10)
    assert sorted(one.nonce for one in lives) == [0, 1]
    assert {one.client_order_id for one in lives} == {
        place.handed.client_order_id,
        second.client_order_id,
    }


async def test_whoever_hands_over_is_answered_once_no_loss_of_power_can_forget_it(
    place: Place,
) -> None:
    answers = SenderAnswers(place.world.table)
    handing = asyncio.create_task(answers.hand_over(place.handed))
    await answers.handed.wait()
    before = (handing.done(), place.world.table.file.is_synced)

    await place.desk.begin_at_once()
    await handing

    assert before == (False, False)
    assert place.is_begun
    assert place.world.table.file.is_synced


async def test_whoever_hands_over_what_is_not_begun_is_answered_all_the_same(place: Place) -> None:
    answers = SenderAnswers(place.world.table)

    reply = await answers.hand_over(place.handed)

    assert reply.why == ""
    assert place.world.table.file.is_synced
    assert not place.is_begun


def test_a_plan_that_comes_while_another_is_signed_is_begun_right_after_it(place: Place) -> None:
    second = place.world.handed(1, seconds=30)
    ask = place.desk.signatures.ask

    async def asked(intent: SigningIntent) -> Signed | SignRefusal:
        if len(place.asked_before_signing) == 0:
            place.world.table.hand_over(second)
        return await ask(intent)

    place.desk.signatures.ask = asked
    place.begin()

    assert len(place.asked_before_signing) == 2
    assert place.world.table.waiting() == []


def test_what_a_node_answered_is_written_and_needs_no_sync(place: Place) -> None:
    place.begin()

    (life,) = place.world.table.open_lives()
    assert life.stage is Stage.BROADCAST
    assert not place.world.table.file.is_synced


class Counted:
    """Counts simulations, as of which block each was."""

    def __init__(self, desk: ChainDesk) -> None:
        self.heads: list[str] = []
        self._simulate = desk.beginnings.simulate
        desk.beginnings.simulate = self

    async def __call__(self, head: HeadNow, contract: str, data: bytes, **how: Any) -> Simulated:
        self.heads.append(head.hash)
        return await self._simulate(head, contract, data, **how)


async def test_what_may_be_handed_over_is_simulated_ahead_once_and_nothing_else_is_done(
    place: Place,
) -> None:
    counted, head = Counted(place.desk), place.desk._looked
    assert head is not None
    answers = SenderAnswers(place.world.table)
    answers.desks[CHAIN] = place.desk
    place.desk.hear(head.hash, head)

    answers.prepare(place.handed)
    await asyncio.sleep(0)
    before = (
        counted.heads[:],
        place.is_begun,
        place.world.table.handed(place.handed.client_order_id),
    )
    place.world.table.hand_over(place.handed)
    await place.desk.begin_at_once()

    assert before == ([head.hash], False, None)
    assert counted.heads == [head.hash]
    assert place.is_begun


async def test_what_comes_before_its_block_is_simulated_once_that_is_told_of(place: Place) -> None:
    counted = Counted(place.desk)
    before = place.desk._looked
    assert before is not None
    place.desk.hear(before.hash, before)
    place.world.chain.mine(most=0)
    handed = place.world.handed(1, seconds=30)
    place.desk.prepare(handed)
    await asyncio.sleep(0)
    was_simulated = bool(counted.heads)

    head = await place.desk.view.head()
    place.desk.hear(head.hash, head)
    await asyncio.sleep(0)

    assert (was_simulated, counted.heads) == (False, [head.hash])


async def test_what_was_simulated_as_of_another_block_does_not_count(place: Place) -> None:
    counted, old = Counted(place.desk), place.desk._looked
    assert old is not None
    place.desk.hear(old.hash, old)
    place.desk.prepare(place.handed)
    await asyncio.sleep(0)
    place.world.chain.mine(most=0)
    head = await place.desk.view.head()
    place.desk.hear(head.hash, head)
    place.world.table.hand_over(place.handed)
    await place.desk.step()

    assert counted.heads == [old.hash, head.hash]
    assert place.is_begun


async def test_a_plan_that_comes_while_a_step_asks_nodes_of_others_is_begun_meanwhile(
    place: Place,
) -> None:
    place.world.table.hand_over(place.handed)
    await place.desk.begin_at_once()
    second = place.world.handed(1, seconds=30)
    asked, goes_on = asyncio.Event(), asyncio.Event()
    look = place.desk.view.look

    async def slow(life: Life, head: HeadNow) -> Look:
        asked.set()
        await goes_on.wait()
        return await look(life, head)

    place.desk.view.look = slow  # type: ignore[method-assign]
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        step = tasks.create_task(place.desk.step())
        await asked.wait()
        place.world.table.hand_over(second)
        await place.desk.begin_at_once()
        life = place.world.table.life_of(second.client_order_id)
        was_done = step.done()
        goes_on.set()

    assert life is not None
    assert (life.stage, was_done) == (Stage.BROADCAST, False)


def test_of_two_plans_both_are_signed_before_the_first_one_is_sent(place: Place) -> None:
    second = place.world.handed(1, seconds=30)
    signed_before_sending: list[int] = []
    send = place.desk.view.send

    async def noted(raw: bytes) -> object:
        signed_before_sending.append(len(place.asked_before_signing))
        return await send(raw)

    place.desk.view.send = noted  # type: ignore[method-assign, assignment]
    place.world.table.hand_over(second)
    place.begin()

    assert signed_before_sending == [2, 2]


async def test_what_ends_while_a_step_asks_nodes_takes_no_nonce_from_what_has_it_by_then(
    place: Place,
) -> None:
    place.world.table.hand_over(place.handed)
    await place.desk.begin_at_once()
    (first,) = place.world.table.open_lives()
    swap, third = place.world.handed(1, seconds=30), place.world.handed(2, seconds=30)
    place.world.table.reserve(  # the signer was away
        Life(
            client_order_id=allowing_id(swap.client_order_id),
            chain_id=first.chain_id,
            wallet=first.wallet,
            nonce=1,
            to=WETH,
            data=allow_calldata(CONTRACT, 5),
            deadline_ts=first.deadline_ts,
            draft=Draft(bid=first.attempts[0].bid, is_cancel=False, at_block=1),
        )
    )
    look = place.desk.view.look
    begun: list[Life | None] = []

    async def slow(life: Life, head: HeadNow) -> Look:
        if not begun:
            async with place.desk._turn:
                await place.desk._is_allowed(swap, head)  # refused by now, its nonce is free
            place.world.table.hand_over(third)
            await place.desk.begin_at_once()
            begun.append(place.world.table.life_of(third.client_order_id))
        return await look(life, head)

    place.desk.view.look = slow  # type: ignore[method-assign]
    await place.desk.step()

    (sent,) = begun
    assert sent is not None
    assert (sent.nonce, sent.stage) == (1, Stage.BROADCAST)
    assert place.world.table.life_of(third.client_order_id) is not None
