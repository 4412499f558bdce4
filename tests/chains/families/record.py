"""Records runs of contracts that were compiled elsewhere: `python -m tests.chains.families.record`.

Takes a folder with `pool.json`, `factory.json` (Aerodrome's), `clpool.json` (Slipstream's) and
`camelot.json` as the compiler writes them, and perhaps which run alone; their sources are named in
tests/data/chains/README.md.
"""

import asyncio
import json
import sys
from collections.abc import Callable
from math import isqrt
from pathlib import Path
from random import Random

from engine.domain.pools import Protocol
from tests.chains.conftest import start_local
from tests.chains.families.actor import Actor
from tests.chains.families.following import Stage
from tests.chains.families.recorded import record, save
from tests.chains.families.stage_camelot import CamelotStage
from tests.chains.families.stage_concentrated import ConcentratedStage
from tests.chains.families.stage_solidly import SolidlyStage


class Breathing(ConcentratedStage):
    """Pools whose fee changes now and then without a word."""

    def act(self, random: Random) -> None:
        if random.random() < 0.1:
            fee = random.choice((100, 500, 2_345, 10_000))
            self.actor.say("getSwapFee(address)", "(uint256)", fee)
        super().act(random)


def solidly(actor: Actor, folder: Path) -> SolidlyStage:
    stage = SolidlyStage(
        actor, pool_code=_code(folder / "pool.json"), factory_code=_code(folder / "factory.json")
    )
    stage.add(("DAI", "USDC"), is_stable=True)
    stage.add(("WBTC", "DAI"), is_stable=True)
    stage.add(("DAI", "WBTC"), is_stable=False)
    stage.add(("USDT", "USDC"), is_stable=False)
    return stage


def slipstream(actor: Actor, folder: Path) -> ConcentratedStage:
    """Deploy pools whose factory is the acting contract, which says their fees."""
    stage = Breathing(actor, Protocol.AERODROME_SLIPSTREAM)
    actor.say("getUnstakedFee(address)", "(uint256)", 100_000)
    actor.say("getSwapFee(address)", "(uint256)", 500)
    for symbols, spacing in ((("DAI", "USDC"), 100), (("DAI", "WBTC"), 200)):
        tokens = actor.in_order(*symbols)
        address = actor.deploy(_code(folder / "clpool.json"))
        raw = 10 ** (tokens[1].decimals - tokens[0].decimals + 20)
        terms = (tokens[0].address, tokens[1].address, spacing, actor.me)
        actor.do(
            (
                address,
                "initialize(address,address,address,int24,address,uint160)",
                (actor.me, *terms, isqrt((raw << 192) // 10**20)),
            )
        )
        stage.fill(address, tokens, fee_pips=3_000, spacing=spacing)
    return stage


def camelot(actor: Actor, folder: Path) -> CamelotStage:
    return CamelotStage(actor, pair_code=_code(folder / "camelot.json"))


async def main(folder: Path, only: str = "") -> None:
    world = start_local()
    try:
        stages: list[tuple[str, Callable[[Actor, Path], Stage]]] = [
            ("aerodrome_v2", solidly),
            ("slipstream", slipstream),
            ("camelot_v2", camelot),
        ]
        for name, make in stages:
            if only and name != only:
                continue
            stage = make(Actor(world), folder)
            save(name, await record(world, stage, seed=1, steps=10, acts=20))
    finally:
        world.close()


def _code(path: Path) -> str:
    digits: str = json.loads(path.read_text())["object"]
    return "0x" + digits


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), *sys.argv[2:]))
