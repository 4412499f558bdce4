"""What is predicted of a transaction is what a real node's real contracts do, to the unit."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator

import pytest

from engine.chains.pending.predict import predict
from engine.chains.pending.predictions import Outcome, PoolsAfter
from engine.chains.pending.transactions import PendingTx, in_order, parse_pending
from tests.chains.conftest import start_local
from tests.chains.pending.comparing import compare, intent_of, there_now
from tests.chains.pending.deployed import ACCOUNTS, Deployed, Found
from tests.chains.pending.node_states import brief, briefs_at
from tests.chains.pending.random_swaps import Maker, Sent, as_transaction

SENT = 60
AT_S = 1_700_000_000
"""Any time between the deadlines that hold and those that are over."""


@pytest.fixture(scope="module")
def there() -> Iterator[Deployed]:
    world = start_local()
    try:
        deployed = Deployed(world)
        world.automine(False)
        yield deployed
    finally:
        world.close()


@pytest.fixture(scope="module")
def before(there: Deployed) -> Found:
    return asyncio.run(there.read())


def test_what_is_predicted_is_what_becomes_of_random_transactions(
    there: Deployed, before: Found
) -> None:
    outcomes = compare(there, before, random.Random(20261129), SENT)

    assert outcomes[Outcome.MOVES] >= SENT // 3
    assert outcomes[Outcome.REVERTS] >= SENT // 10
    assert outcomes[Outcome.UNKNOWN] <= SENT // 20  # beyond the ticks that are read of a pool


def test_several_that_wait_are_predicted_one_after_the_other(
    there: Deployed, before: Found
) -> None:
    world, rng = there.world, random.Random(5)
    makers = {(me := world.hands(account).me): Maker(there, me, rng) for account in ACCOUNTS}
    outcomes: Counter[str] = Counter()
    for _ in range(3):
        states = there_now(there, before)
        # Falling, as this node loses what a sender pays more for than for what goes before it.
        tips = sorted(rng.sample(range(1, 100), 16), reverse=True)
        rng.shuffle(senders := [*makers] * 4)
        for me, tip in zip(senders, tips, strict=True):
            # this node goes by the whole price, which orders as the tip does where it is one number
            sent = as_transaction(makers[me].make(), me, gasPrice=hex((100 + tip) * 10**9))
            world.rpc.ask("eth_sendTransaction", sent)

        ordered, after = [], PoolsAfter(states)
        for tx in in_order(waiting_at(there), base_fee_raw=base_fee_raw(there)):
            prediction = predict(
                intent_of(there, Sent(tx.to, tx.text, tx.value_raw), tx.sender), after, at_s=AT_S
            )
            after.take(prediction)
            ordered.append(tx.hash)
            outcomes[prediction.outcome] += 1
        world.mine()

        assert world.head()["transactions"] == ordered
        node = briefs_at(world.rpc, there.manager, there.pools)
        found = {address: after.find(address) for address in node}
        assert {address: brief(now[1]) for address, now in found.items() if now} == node
    assert outcomes[Outcome.MOVES] >= 16
    assert outcomes[Outcome.REVERTS] >= 3


def waiting_at(there: Deployed) -> list[PendingTx]:
    content = there.world.rpc.ask("txpool_content")["pending"]
    found = [parse_pending(tx) for by_nonce in content.values() for tx in by_nonce.values()]
    return [tx for tx in found if tx is not None]


def base_fee_raw(there: Deployed) -> int:
    block = there.world.rpc.ask("eth_getBlockByNumber", "pending", False)
    return int(block["baseFeePerGas"], 16)
