"""Blocks whose makings are known, and running a task on what is given to it."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from engine.background.ports import Given, Outcome, Task, Want
from engine.background.wants import Blocks, BlocksGiven, Races, RacesGiven
from engine.domain.block_facts import BlockFact, Swap
from engine.domain.modes import Basis
from engine.domain.units import NS_PER_MS, NS_PER_S

NO_RACES = RacesGiven()
START_NS = 1_800_000_000 * NS_PER_S


def block(number: int, **said: Any) -> BlockFact:
    """Make a block of which nothing is known but what is said."""
    facts: dict[str, Any] = {
        "number": number,
        "hash": f"0x{number:x}",
        "made_at_ns": START_NS + number * 2 * NS_PER_S,
        "heard_at_ns": 0,
        "told_at_ns": 0,
        "base_fee_gwei": 0.0,
        "gas_used": 0,
        "gas_limit": 0,
        "transactions": -1,
        "tips_gwei": (),
        "data_raw": 0,
        "undone": 0,
        "swaps": (),
    }
    return BlockFact(**{**facts, **said})


def swap(tx: str, pool: str, way: str, amounts: tuple[float, float], **said: Any) -> Swap:
    """Make a trade; `way` is such as ``USDC ETH``."""
    source, target = way.split()
    facts: dict[str, Any] = {"index": 0, "sender": "", "recipient": "", "usd": 0.0}
    return Swap(
        tx=tx,
        pool=pool,
        source=source,
        target=target,
        amount_in=amounts[0],
        amount_out=amounts[1],
        **{**facts, **said},
    )


def priced(log_costs: Sequence[float], *, steps: int = 1) -> list[BlockFact]:
    """Make blocks whose base fee is as given at every step, the first of them at number 0."""
    return [
        block(at, base_fee_gwei=float(np.exp(log_costs[at // steps])))
        for at in range(len(log_costs) * steps)
    ]


def heard(at_ms: Sequence[float], *, block_ms: float, late_ms: float = 0.0) -> list[BlockFact]:
    """Make blocks made every `block_ms`, heard so long after the first was made."""
    made = [START_NS + int(n * block_ms) * NS_PER_MS for n in range(len(at_ms))]
    return [
        block(
            n,
            made_at_ns=made[n] - made[n] % NS_PER_S,
            heard_at_ns=START_NS + int((at_ms[n] + late_ms) * NS_PER_MS),
        )
        for n in range(len(at_ms))
    ]


def given(answers: Mapping[Want[Any], object], *, seed: int = 1, at_ns: int = START_NS) -> Given:
    """Make what a run is given."""
    return Given(at_ns=at_ns, basis=Basis.SANDBOX, seed=seed, answers=answers)


def on_chain(
    blocks: Sequence[BlockFact], chain: str = "base", races: RacesGiven = NO_RACES
) -> Given:
    """Make what a run is given that wants the blocks of a chain, and our own races if any."""
    return given(
        {
            Blocks(chain=chain, blocks=2_000): BlocksGiven(blocks=tuple(blocks)),
            Races(chain=chain): races,
        }
    )


def end(task: Task[Any], what: Given, learned: Any = None, held: Any = None) -> Outcome[Any]:
    """Run a task to its end, from its beginning or from where it was held."""
    going = task.run(what, held, learned)
    while True:
        try:
            next(going)
        except StopIteration as ended:
            outcome: Outcome[Any] = ended.value
            return outcome


def surely_above(came: int, tried: int) -> float:
    """Return what a share is above, with 97.5 % of confidence: Wilson 1927."""
    z, share = 1.96, came / tried
    middle = share + z * z / (2 * tried)
    half = z * np.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried))
    return float((middle - half) / (1 + z * z / tried))
