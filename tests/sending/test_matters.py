"""Each thing that a person has to know of transactions is an alert of its own."""

import pytest

from engine.domain.told import Matter
from engine.sending.facts import Answer, Answered, Attempt, Landed, Life, Look, Warn
from engine.sending.fees import Bid
from engine.sending.life import LifeRules, take
from engine.sending.matters import matter_of
from engine.sending.stages import Stage
from engine.sending.trust import FAILURES_MAX, Failure, RouteTrust
from tests.storage.makers import make_atomic_plan

RULES = LifeRules(confirm_blocks=2, stuck_blocks=3)
HASH = "0x" + "12" * 32


def life(stage: Stage, *, landed: Landed | None = None) -> Life:
    bid = Bid(gas_limit=21_000, fee_wei=10, tip_wei=1)
    return Life(
        client_order_id="p1-t",
        chain_id=8_453,
        wallet="0x" + "11" * 20,
        nonce=7,
        deadline_ts=10**9,
        stage=stage,
        attempts=(Attempt(bid=bid, is_cancel=False, at_block=1, hash=HASH, raw=b"x"),),
        landed=landed,
    )


def look(count: int) -> Look:
    return Look(
        head=9, head_ts=1, final=1, count=count, final_count=0, landed=None, waiting=frozenset()
    )


def warned(before: Life, learned: Answered | Look) -> list[Matter]:
    _, acts = take(before, learned, RULES)
    return [matter_of(one.sentence) for one in acts if isinstance(one, Warn)]


@pytest.mark.parametrize(
    ("before", "learned", "matter"),
    [
        (life(Stage.SIGNED), Answered(HASH, Answer.NO_FUNDS, "no"), Matter.GAS),
        (life(Stage.SIGNED), Answered(HASH, Answer.REFUSED, "no"), Matter.OTHER),
        (life(Stage.MINED), look(7), Matter.REORGANISED),
        (life(Stage.PENDING), look(8), Matter.FOREIGN),
    ],
)
def test_what_a_life_warns_of_is_known_by_its_words(
    before: Life, learned: Answered | Look, matter: Matter
) -> None:
    assert warned(before, learned) == [matter]


def test_a_route_that_others_are_always_ahead_of_is_told_as_reverting() -> None:
    trust, plan = RouteTrust(), make_atomic_plan(number=1)

    told = [trust.fail(plan, Failure.ORDER, 1) for _ in range(FAILURES_MAX)]

    assert matter_of(told[-1]) is Matter.REVERTED
    assert matter_of(trust.contradict(plan, "the contracts give 1")) is Matter.OTHER
