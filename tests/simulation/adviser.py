"""Background work that has learned nothing true: it advises whatever can be said, often."""

import random
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from engine.domain.advice import (
    AnyAdvice,
    BlockTimeAdvice,
    DatedAdvice,
    GasAdvice,
    InclusionAdvice,
    PathAdvice,
    PriorityAdvice,
    ThresholdProposal,
    TipAdvice,
)
from engine.domain.errors import BadValueError, TransientError
from engine.domain.units import NS_PER_MS
from tests.simulation.chain import CHAIN
from tests.simulation.life import Life

ADVISED_RATIO: Final = 0.1
"""Of the steps of a life."""

HOLDS_MS: Final = (0, 50, 1_000, 20_000, 90_000_000)


class Adviser:
    """Has its own chance, so that what else happens is as without it."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(f"advice {seed}")

    def act(self, life: Life) -> bool:
        """Advise, or not; say whether it did."""
        if self._rng.random() >= ADVISED_RATIO:
            return False
        now_ns = life.now_ns()
        said: dict[tuple[str, str], DatedAdvice] = {}
        for number in range(self._rng.randrange(6)):
            until_ns = now_ns + self._rng.choice(HOLDS_MS) * NS_PER_MS
            one = DatedAdvice(discovery=number, until_ns=until_ns, advice=self._any(life))
            said[one.key] = one
        with suppress(TransientError, BadValueError):
            life.answers.advice.take(tuple(said.values()))
        return True

    def _any(self, life: Life) -> AnyAdvice:
        kinds: tuple[Callable[[Life], AnyAdvice], ...] = (
            lambda _: TipAdvice(chain=CHAIN, tip_gwei=self._rng.choice((0.0, 1.0, 9_999.0))),
            lambda _: GasAdvice(chain=CHAIN, ratio=self._rng.choice((1.0, 1.3, 5.0))),
            self._times,
            self._inclusion,
            self._path,
            lambda _: PriorityAdvice(
                hour=self._rng.randrange(-1, 24), ratio=self._rng.choice((0.001, 0.5, 1.0))
            ),
            lambda _: ThresholdProposal(
                term=self._rng.choice(("net_edge_bps_min", "position_usd", "nothing")),
                value=self._rng.choice((0.0, 1.0, 1e9)),
                why="it is said so",
            ),
        )
        return self._rng.choice(kinds)(life)

    def _times(self, _life: Life) -> BlockTimeAdvice:
        draw = self._rng.choice
        return BlockTimeAdvice(
            chain=CHAIN,
            block_ms=draw((1.0, 300.0, 12_000.0, 600_000.0)),
            heard_ms=draw((0.0, 20.0, 600_000.0)),
            jitter_ms=draw((0.0, 5.0, 600_000.0)),
        )

    def _inclusion(self, _life: Life) -> InclusionAdvice:
        ratios = sorted((self._rng.random() for _ in range(3)), reverse=True)
        return InclusionAdvice(
            chain=CHAIN,
            edges_usd=(0.0, 1.0),
            ratios=(tuple(ratios), (self._rng.choice((0.0, 1.0)),)),
        )

    def _path(self, life: Life) -> PathAdvice:
        pools = [one.address for one in life.core.moving_pools.numbers] or ["0xnone"]
        count = self._rng.randrange(2, 6)
        addresses = {self._rng.choice([*pools, "0xgone"]) for _ in range(count)}
        addresses |= {f"0x{number}" for number in range(count - len(addresses))}
        tokens = self._rng.sample(("USD", "ETH", "BTC", "USDC", "USDT", "EUR"), count)
        return PathAdvice(chain=CHAIN, tokens=tuple(tokens), pools=tuple(sorted(addresses)))
