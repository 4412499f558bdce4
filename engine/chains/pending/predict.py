"""Prediction: what a pending transaction will do to pools, if it comes next.

Exact as far as it goes: senders are taken to have what they pay and to have allowed it, and routers
to hold nothing but what the transaction itself gives them. Where the outcome does not follow from
that, it is unknown and says why.
"""

from engine.chains.pending.carrying_out import Run
from engine.chains.pending.intents import NATIVE, Intent
from engine.chains.pending.predictions import Outcome, Pools, Prediction
from engine.chains.pending.trading import RevertsError, UnpredictedError


def predict(intent: Intent, pools: Pools, *, at_s: int) -> Prediction:
    """Return what a transaction does if it comes next.

    Args:
        intent: what it means to do.
        pools: as they are before it.
        at_s: time of the block that it comes in, whole seconds since 1970.
    """
    if intent.hidden is not None:
        return Prediction(outcome=Outcome.UNKNOWN, why=f"{intent.router} hides its route")
    if intent.deadline_s is not None and intent.deadline_s < at_s:
        return Prediction(outcome=Outcome.REVERTS, why="its deadline is over")
    run = Run(pools=pools, router=intent.router_address, weth=intent.weth)
    run.give(run.router, NATIVE, intent.value_raw)
    try:
        run.all(intent.steps)
    except RevertsError as error:
        return Prediction(outcome=Outcome.REVERTS, why=str(error))
    except UnpredictedError as error:
        return Prediction(outcome=Outcome.UNKNOWN, why=str(error))
    return Prediction(outcome=Outcome.MOVES, effects=tuple(run.effects))
