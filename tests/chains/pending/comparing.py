"""Sends random transactions and compares what becomes of them with what was predicted."""

import random
from collections import Counter

from engine.chains.pending.decode import decode
from engine.chains.pending.intents import Intent
from engine.chains.pending.predict import predict
from engine.chains.pending.predictions import Outcome, PoolsAfter, Prediction
from engine.pools.concentrated import ConcentratedState
from engine.pools.constant_product import ConstantProductState
from engine.pools.snapshot_rows import PoolState
from tests.chains.pending.deployed import Deployed, Found
from tests.chains.pending.node_states import brief, briefs_at
from tests.chains.pending.random_swaps import Maker, Sent, as_transaction


def intent_of(there: Deployed, sent: Sent, sender: str) -> Intent:
    intent = decode(
        sent.data, to=sent.to, sender=sender, value_raw=sent.value_raw, routers=there.routers
    )
    assert intent is not None
    return intent


def compare(there: Deployed, before: Found, rng: random.Random, count: int) -> Counter[str]:
    """Send random transactions, each in a block of its own; count what became of them."""
    world = there.world
    me = world.hands(1).me
    maker = Maker(there, me, rng)
    outcomes: Counter[str] = Counter()
    states = there_now(there, before)
    for index in range(count):
        sent = maker.make()
        at_s = int(world.head()["timestamp"], 16) + 1
        prediction = predict(intent_of(there, sent, me), states, at_s=at_s)
        tx = world.rpc.ask("eth_sendTransaction", as_transaction(sent, me))
        world.mine()
        status = int(world.rpc.ask("eth_getTransactionReceipt", tx)["status"], 16)

        told = f"{index}: {sent.to} {sent.data[:4].hex()} {prediction.outcome} {prediction.why}"
        assert (status == 1) == (prediction.outcome is Outcome.MOVES), told
        states = check(there, states, prediction, told)
        outcomes[prediction.outcome] += 1
    return outcomes


def check(there: Deployed, states: Found, prediction: Prediction, told: str) -> Found:
    """Compare the pools at the node with those predicted; return them."""
    after = PoolsAfter(states)
    after.take(prediction)
    found = {}
    for pool in there.pools:
        now = after.find(pool.address)
        assert now is not None
        found[pool.address] = now
    node = briefs_at(there.world.rpc, there.manager, there.pools)
    assert {address: brief(state) for address, (_, state) in found.items()} == node, told
    return Found(found)


def there_now(there: Deployed, before: Found) -> Found:
    """Return the pools with what the node says of them now, and the ticks that were read before."""
    node = briefs_at(there.world.rpc, there.manager, there.pools)
    return Found(
        {
            address: (pool, moved_to(state, node[address]))
            for address, (pool, state) in before.found.items()
        }
    )


def moved_to(state: PoolState, now: tuple[int, ...]) -> PoolState:
    if isinstance(state, ConcentratedState):
        return state.with_price(sqrt_price_x96=now[0], tick=now[1], liquidity=now[2])
    assert isinstance(state, ConstantProductState)
    return ConstantProductState(
        reserve0_raw=now[0],
        reserve1_raw=now[1],
        fee0_numerator=state.fee0_numerator,
        fee1_numerator=state.fee1_numerator,
        fee_denominator=state.fee_denominator,
    )
