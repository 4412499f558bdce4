"""The sender is ended at each place between two of its effects, and starts again: each plan is
carried out once or not at all, and is told as the chain shows it.

Here a few plans on a real node (as many as `SYNDICATE_CRASH_POINTS` says, each with its own luck),
and a few plays on the chain of `crashes`; `make crash-points` tries a hundred thousand of those.
"""

import os
from collections.abc import Iterator
from random import Random

import pytest

from engine.domain.plans import AtomicPlan
from engine.domain.told import Fate
from engine.sending.desk import ChainDesk
from tests.sending.crashes.campaign import boundaries
from tests.sending.crashes.plays import Tally
from tests.sending.sending_world import SendingWorld

pytestmark = pytest.mark.slow

POINTS = int(os.environ.get("SYNDICATE_CRASH_POINTS", "12"))
ROUNDS_MAX = 60
SEEDS = (12, 0, 2)
BOUNDARIES = 11


class Ended(BaseException):
    """The process is gone: nothing catches this but the test."""


class Fuse:
    """Ends the process at the boundary with a number, counted over all of its lives."""

    def __init__(self, at: int) -> None:
        self.left = at
        self.where: list[str] = []

    def __call__(self, where: str) -> None:
        self.where.append(where)
        self.left -= 1
        if self.left == 0:
            raise Ended(where)


def is_done(sending: SendingWorld, plans: list[str]) -> bool:
    is_told = all(sending.table.told.of(plan) is not None for plan in plans)
    return is_told and not sending.table.open_lives()


def play(sending: SendingWorld, seed: int) -> Iterator[str]:
    """Carry a plan out under a fuse; the process starts anew as often as it ends."""
    luck = Random(seed)
    fuses = [Fuse(1 + luck.randrange(14)) for _ in range(1 + luck.randrange(3))]
    plan = sending.plan("0.5", seconds=luck.choice((2, 4, 30)))
    name = f"{plan.plan_id}-t"
    sending.table.hand_over(sending.handed(plan))

    async def one_life(desk: ChainDesk) -> None:
        for _ in range(ROUNDS_MAX):
            await desk.step()
            fall_out(sending, luck)
            if is_done(sending, [name]):
                return

    for fuse in [*fuses, Fuse(10**9)]:
        try:
            sending.run(one_life, crash=fuse)
            break
        except Ended as ended:
            yield str(ended)
            sending.again()
    check(sending, plan, seed)


def fall_out(sending: SendingWorld, luck: Random) -> None:
    """Let the chain do what it may."""
    rpc = sending.world.rpc
    if luck.random() < 0.15:
        rpc.ask("anvil_dropAllTransactions")
    if luck.random() < 0.1:
        sending.pass_time(luck.choice((3, 40)))
    if luck.random() < 0.7:
        sending.world.mine()
    if luck.random() < 0.1:
        sending.world.reorg(luck.choice((1, 1, 2)))


def check(sending: SendingWorld, plan: AtomicPlan, seed: int) -> None:
    """Compare what was told with what the chain shows."""
    name = f"{plan.plan_id}-t"
    assert is_done(sending, [name])
    told = sending.news(plan)[-1]
    life = sending.table.life_of(name)
    landed = [one for one in (life.hashes if life else ()) if succeeded(sending, one)]
    assert len(landed) == (1 if told.fate is Fate.SUCCEEDED else 0), (seed, told)
    if told.fate is Fate.SUCCEEDED:
        assert told.hash == landed[0]
    if life is None:
        assert told.fate is Fate.NEVER


def succeeded(sending: SendingWorld, transaction: str) -> bool:
    receipt = sending.world.rpc.ask("eth_getTransactionReceipt", transaction)
    return receipt is not None and receipt["status"] == "0x1"


def test_ended_anywhere_each_plan_is_carried_out_once_or_not_at_all(sending: SendingWorld) -> None:
    sending.world.automine(False)
    crashes: list[str] = []
    before = sending.executions()

    for point in range(POINTS):
        sending.gap_mined(12)
        crashes += play(sending, point)

    told = [one.news for one in sending.all_told()]
    last = {one.client_order_id: one for one in told}
    done = sum(one.fate is Fate.SUCCEEDED for one in last.values())
    assert sending.executions() - before == done
    assert len(crashes) >= POINTS // 2
    assert sending.count() == len(sending.table.used(8_453, sending.wallet, at_least=0))
    print(
        f"\n{POINTS} plans, {len(crashes)} crashes at {len(set(crashes))} boundaries,"
        f" {done} carried out once, 0 twice, 0 forgotten"
    )


def test_ended_at_every_boundary_and_again_in_recovery_all_is_booked_as_the_chain_has_it() -> None:
    tally = Tally()
    for seed in SEEDS:
        tally.join(boundaries(seed))

    assert len(tally.crashes) >= BOUNDARIES, tally.crashes
    assert tally.depths[2] > 20
    assert {"succeeded", "reverted", "cancelled", "never"} <= tally.fates.keys()
