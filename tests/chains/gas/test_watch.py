"""What is said of gas, when, and what a node that does not answer does to it."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest

from engine.chains.gas.reader import GasReader
from engine.chains.gas.rules import GAS_RULES
from engine.chains.gas.watch import BACKOFF_MAX, GasWatch, WatchTerms
from engine.chains.ports import Json, NodeError, Refusal
from engine.domain.chains import CHAINS
from engine.domain.gas import GasPrice, Tips
from tests.chains.gas.scripted_node import Answer, ScriptedNode
from tests.chains.gas.test_reader import GWEI, block, history, plain

NO_TIP = Tips(now=Decimal("0E-9"), least=Decimal("0E-9"), most=Decimal("0E-9"))
FIRST = GasPrice(gwei=Decimal("1.000000000"), now_gwei=Decimal("1.000000000"), tips=NO_TIP)
TERMS = WatchTerms(stale_s=60.0, answer_s=0.05)


class Watched:
    """A watch of Ethereum on a scripted node, with what it said, and a clock of the test's."""

    def __init__(self) -> None:
        self.now_s = 1_000.0
        self.told: list[tuple[str, GasPrice]] = []
        self.node = ScriptedNode(plain(block(), history([0])))
        self.watch = GasWatch(
            {"ethereum": GasReader(CHAINS["ethereum"], GAS_RULES["ethereum"], self.node)},
            lambda chain, price: self.told.append((chain, price)),
            TERMS,
            paces_s={"ethereum": 12.0},
            clock_s=lambda: self.now_s,
        )

    def read(self, *, base_fee_wei: int = GWEI, after_s: float = 12.0) -> None:
        """Let time pass, and have the chain read at another base fee."""
        self.now_s += after_s
        self.node.answer = plain(
            block(baseFeePerGas=hex(base_fee_wei)),
            history([0], base_fee_wei, baseFeePerGas=[hex(base_fee_wei)] * 2),
        )
        asyncio.run(self.watch.read("ethereum"))

    def fail(self, answer: Answer) -> None:
        self.node.answer = lambda _method, _params: answer
        asyncio.run(self.watch.read("ethereum"))


def test_the_first_price_is_said_and_the_same_one_not_again() -> None:
    watched = Watched()

    watched.read()
    watched.read()

    assert watched.told == [("ethereum", FIRST)]


@pytest.mark.parametrize(("base_fee_wei", "is_said"), [(GWEI * 102 // 100, False),
                                                       (GWEI * 102 // 100 + 1, True),
                                                       (GWEI * 98 // 100, False),
                                                       (GWEI * 98 // 100 - 1, True)])  # fmt: skip
def test_a_notable_change_is_said_either_way(base_fee_wei: int, is_said: bool) -> None:  # noqa: FBT001
    watched = Watched()
    watched.read()

    watched.read(base_fee_wei=base_fee_wei)

    assert len(watched.told) == 1 + is_said


def test_many_small_changes_are_said_once_they_come_to_a_notable_one() -> None:
    watched = Watched()
    watched.read(after_s=0.0)
    fee_wei = GWEI

    for _ in range(4):
        fee_wei = fee_wei * 101 // 100
        watched.read(base_fee_wei=fee_wei, after_s=1.0)

    assert len(watched.told) == 1 + 2


def test_a_price_that_stands_is_said_again_before_it_is_too_old() -> None:
    watched = Watched()
    for _ in range(11):
        watched.read()  # every 12 s

    assert len(watched.told) == 6  # at once, and every second time from then on


@pytest.mark.parametrize(
    "answer", [None, {}, NodeError(Refusal.AWAY, "nobody there"), NodeError(Refusal.LIMITED, "429")]
)
def test_what_is_no_answer_is_said_to_nobody_and_told_why(answer: Answer) -> None:
    watched = Watched()
    watched.read()

    watched.fail(answer)

    sight = watched.watch.sights["ethereum"]
    assert len(watched.told) == 1
    assert (sight.failures, sight.failed) == (1, 1)
    assert sight.trouble
    watched.read()
    assert (sight.failures, sight.failed, sight.trouble) == (0, 1, "")


def test_a_chain_that_does_not_answer_is_asked_less_often_and_never_rarer_than_a_bound() -> None:
    watched = Watched()
    assert watched.watch.pace_s("ethereum") == 12.0

    for _ in range(20):
        watched.fail(None)

    assert watched.watch.pace_s("ethereum") == 12.0 * BACKOFF_MAX


def test_a_node_that_hangs_holds_up_no_other_chain() -> None:
    told: list[str] = []
    said = asyncio.Event()

    class Hanging(ScriptedNode):
        async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Answer]:
            await asyncio.Event().wait()
            return await super().batch(asked)

    def tell(chain: str, _price: GasPrice) -> None:
        told.append(chain)
        said.set()

    answers = plain(block(), history([0]))
    readers = {
        "bnb": GasReader(CHAINS["bnb"], GAS_RULES["bnb"], Hanging(answers)),
        "ethereum": GasReader(CHAINS["ethereum"], GAS_RULES["ethereum"], ScriptedNode(answers)),
    }

    async def run() -> GasWatch:
        watch = GasWatch(
            readers, tell, TERMS, paces_s=dict.fromkeys(readers, 0.0), clock_s=lambda: 0.0
        )
        task = asyncio.create_task(watch.run())
        async with asyncio.timeout(10):
            await said.wait()
            await watch.read("bnb")
        task.cancel()
        return watch

    watch = asyncio.run(run())

    assert told == ["ethereum"]
    assert watch.sights["bnb"].trouble == "no answer within 0.05 s"
