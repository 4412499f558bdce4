"""Pairs of Camelot V2, whose fees differ by direction and are changed now and then."""

from decimal import Decimal
from random import Random

from engine.chains.families.camelot_v2 import CamelotV2
from engine.domain.pools import Pool, Protocol
from tests.chains.families.actor import Actor, pool_of
from tests.chains.families.stage_pairs import PairStage


class CamelotStage(PairStage):
    """See `following.Stage`; the acting contract is the pairs' factory."""

    def __init__(self, actor: Actor, *, pair_code: str) -> None:
        super().__init__(actor, [])
        self.family = CamelotV2()
        actor.say("feePercentOwner()", "(address)", actor.me)
        actor.say("feeInfo()", "(uint256,address)", 50_000, actor.hands.me)
        for symbols in (("DAI", "WBTC"), ("USDT", "USDC")):
            tokens = actor.in_order(*symbols)
            address = actor.make(pair_code)
            both = (tokens[0].address, tokens[1].address)
            assert actor.do((address, "initialize(address,address)", both))
            self.take(pool_of(Protocol.CAMELOT_V2, address, tokens, Decimal("0.003")), tokens)

    def act(self, random: Random) -> None:
        if random.random() < 0.15:
            fees = random.choice(((300, 300), (50, 2_000), (1, 777)))
            address = random.choice(self.pools).address
            assert self.actor.do((address, "setFeePercent(uint16,uint16)", fees))
        super().act(random)

    def quote(self, pool: Pool, amount_raw: int, *, token_in: int, token_out: int) -> int | None:
        del token_out
        token = self.tokens[pool.address][token_in].address
        said = self.actor.ask(
            ("uint256",), (pool.address, "getAmountOut(uint256,address)", (amount_raw, token))
        )
        return None if said is None else int(said[0])
