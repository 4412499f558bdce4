"""Makes a pool of what its factory told and its tokens say, as readers of its make take it."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from engine.chains.discovery.announcements import ANNOUNCED, PAIR
from engine.chains.discovery.found import FoundPool, PoolRefusal, PoolRefusedError
from engine.chains.discovery.token_desk import TokenDesk, TokenFacts
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool, Protocol
from engine.pools.integers import PIPS

GAS_UNITS: Final[Mapping[Protocol, int]] = {
    Protocol.UNISWAP_V2: 90_000,
    Protocol.SUSHISWAP_V2: 90_000,
    Protocol.PANCAKESWAP_V2: 90_000,
    Protocol.QUICKSWAP_V2: 90_000,
    Protocol.BASESWAP_V2: 90_000,
    Protocol.BISWAP_V2: 100_000,
    Protocol.CAMELOT_V2: 120_000,
    Protocol.UNISWAP_V3: 130_000,
    Protocol.SUSHISWAP_V3: 130_000,
    Protocol.PANCAKESWAP_V3: 140_000,
    Protocol.QUICKSWAP_V3: 180_000,
    Protocol.CAMELOT_V3: 180_000,
    Protocol.THENA_FUSION: 180_000,
    Protocol.AERODROME_SLIPSTREAM: 160_000,
    Protocol.VELODROME_SLIPSTREAM: 160_000,
    Protocol.UNISWAP_V4: 140_000,
    Protocol.AERODROME_V2: 120_000,
    Protocol.VELODROME_V2: 120_000,
    Protocol.THENA_V1: 120_000,
    Protocol.BALANCER_WEIGHTED: 120_000,
    Protocol.BALANCER_STABLE: 160_000,
    Protocol.CURVE: 180_000,
}
"""Assumed of one swap; an estimate until one is simulated."""

_OWN_FEES: Final = frozenset((Protocol.BISWAP_V2, Protocol.CAMELOT_V2))
"""Pairs that say a fee of their own; all others have the one of their code."""


def made_pool(found: FoundPool, facts: Mapping[str, TokenFacts], tokens: TokenDesk) -> Pool:
    """Return the pool; where its fee has to be read it has none yet.

    Raises:
        PoolRefusedError: nothing can be reckoned with it.
    """
    protocol = found.dex.protocol
    if ANNOUNCED[protocol] is PAIR and not found.fee_pips and protocol not in _OWN_FEES:
        raise PoolRefusedError(PoolRefusal.NO_FEE, f"{found.dex.name} has no fee in its row")
    try:
        return Pool(
            chain=found.dex.chain,
            protocol=protocol,
            address=found.address,
            tokens=tuple(
                (tokens.asset(facts[token]), facts[token].decimals) for token in found.tokens
            ),
            fee_ratio=Decimal(found.fee_pips) / PIPS,
            gas_units=GAS_UNITS[protocol],
            token_addresses=found.tokens,
        )
    except BadValueError as error:
        raise PoolRefusedError(PoolRefusal.TOKEN, str(error)) from error
