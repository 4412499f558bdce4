"""What nodes show of our transactions is taken for no more than it proves."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.chains.ports import Json
from engine.domain.errors import TransientError
from engine.domain.handed import Handed
from engine.sending.calls import HeadNow
from engine.sending.desk import ChainDesk
from engine.sending.encoding import decode
from engine.sending.facts import Life, Look
from engine.sending.life import LifeRules, shown
from engine.sending.nonces import NonceTable
from engine.sending.stages import Event
from tests.sending.crashes.moody import Mood
from tests.sending.crashes.node import FINAL_DEPTH
from tests.sending.crashes.world import RECOVERY, CrashWorld, run
from tests.signing.intents import CONTRACT

RULES = LifeRules(confirm_blocks=2, stuck_blocks=3)
GAIN_RAW = 10**16


@dataclass
class Two:
    """Two plans that were sent, one after the other; `desk` looks after them."""

    world: CrashWorld
    desk: ChainDesk
    plans: list[Handed]

    def life(self, number: int) -> Life:
        found = self.world.table.life_of(self.plans[number].client_order_id)
        assert found is not None
        return found

    def look(self, number: int) -> Look:
        head: HeadNow = run(self.desk.view.head())
        look: Look = run(self.desk.view.look(self.life(number), head))
        return look

    def gain_raw(self, number: int, ours: set[str]) -> int:
        life, look = self.life(number), self.look(number)
        assert look.landed is not None
        route = decode(life.data, contract=CONTRACT)
        seen, _ = run(self.desk.view.gain(route, look.landed, RECOVERY, ours))
        return int(seen.kept_raw - seen.others_raw)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    world = CrashWorld(tmp_path, seed=3)
    world.chain.luck.choice = lambda of: of[0]  # type: ignore[method-assign, assignment]
    plans = [world.handed(number, seconds=30) for number in range(2)]
    desk = world.desk(lambda _where: None)
    for one in plans:
        world.table.hand_over(one)
    run(desk.step())
    yield Two(world, desk, plans)
    world.close()


def test_a_receipt_that_no_node_shows_proves_nothing_of_a_nonce_that_is_used(two: Two) -> None:
    for _ in range(FINAL_DEPTH + 2):
        two.world.chain.mine(most=1)
    two.world.node.mood = Mood.BLIND

    look = two.look(1)

    assert look.count == 2
    assert shown(two.life(1), look, RULES) is Event.TAKEN


def test_so_it_is_where_a_reorganisation_had_it_used_before_the_block_it_was_made_for(
    two: Two,
) -> None:
    chain = two.world.chain
    chain.queue.clear()
    for _ in range(2):
        chain.mine(most=9)
    third = two.world.handed(2, seconds=300)
    two.world.table.hand_over(third)
    two.plans.append(third)
    run(two.desk.step())
    chain.reorganise(2, keeps=False)
    run(two.desk.step())
    for _ in range(FINAL_DEPTH + 2):
        chain.mine(most=9)
    two.world.node.mood = Mood.BLIND

    assert chain.head.count == 3
    assert two.life(2).attempts[0].at_block >= 2
    assert shown(two.life(2), two.look(2), RULES) is Event.TAKEN


def test_a_nonce_that_another_used_in_a_final_block_is_lost(two: Two) -> None:
    two.world.chain.queue.clear()
    for _ in range(2):
        two.world.chain.mine_foreign()
    for _ in range(FINAL_DEPTH):
        two.world.chain.mine(most=1)

    assert shown(two.life(1), two.look(1), RULES) is Event.TAKEN_FOR_GOOD


def test_of_two_of_ours_in_one_block_each_has_its_own_gain_looked_after_or_not(two: Two) -> None:
    two.world.chain.mine(most=9)
    ours = {*two.life(0).hashes, *two.life(1).hashes}

    assert two.world.chain.head.kept_raw == 2 * GAIN_RAW
    assert [two.gain_raw(number, ours) for number in range(2)] == [GAIN_RAW, GAIN_RAW]
    assert two.gain_raw(0, {*two.life(0).hashes}) == 2 * GAIN_RAW  # so it needs to know both


def test_the_desk_knows_its_others_by_their_nonces_and_no_other_wallets(two: Two) -> None:
    table: NonceTable = two.world.table

    assert [one.nonce for one in table.lives_beside(two.life(0))] == [0, 1]
    assert two.desk.outcomes._ours(two.life(0)) == {*two.life(0).hashes, *two.life(1).hashes}


def test_a_receipt_of_a_block_that_is_gone_is_booked_for_none_that_stands(two: Two) -> None:
    chain = two.world.chain
    chain.mine(most=9)
    undone = {name: dict(receipt) for name, receipt in _reorganised(two).items()}
    chain.mine(most=9)
    look = two.look(0)
    assert look.landed is not None
    chain.undone.update(undone)
    route = decode(two.life(0).data, contract=CONTRACT)
    two.world.node.mood = Mood.STALE

    with pytest.raises(TransientError, match="receipt of another block"):
        run(two.desk.view.gain(route, look.landed, RECOVERY, set()))


def _reorganised(two: Two) -> dict[str, dict[str, Json]]:
    two.world.chain.reorganise(1, keeps=True)
    return dict(two.world.chain.undone)
