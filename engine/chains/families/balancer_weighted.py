"""Weighted pools of Balancer V2. Weights that change with time are refused."""

from collections.abc import Sequence
from typing import Final

from engine.chains.families.balancer import (
    FEE_ONE,
    OWN_TOPICS,
    VAULT_TOPICS,
    PoolHead,
    Vault,
    contract_of,
    numbers,
)
from engine.chains.families.reading import (
    NotReadError,
    answered,
    pool_now,
    unreadable,
    with_fee,
)
from engine.chains.families.words import call_data, selector
from engine.chains.ports import BlockRef, Call, Log, PoolNow, ReadAgain, Reader, Unreadable
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import PoolMoved
from engine.pools.snapshot_rows import WeightedRow

GET_WEIGHTS: Final = call_data(selector("getNormalizedWeights()"))
GET_WEIGHT_UPDATE: Final = call_data(selector("getGradualWeightUpdateParams()"))


class BalancerWeighted:
    """See `ports.Family`."""

    topics: Final = VAULT_TOPICS | OWN_TOPICS
    is_polled: Final = False

    def __init__(self, vaults: frozenset[str]) -> None:
        """Make the family of a chain.

        Raises:
            BadValueError: it has several vaults.
        """
        self._vault = Vault(vaults)

    def address_of(self, log: Log) -> str:
        """Return the pool's id."""
        return self._vault.address_of(log)

    def change_of(self, pool: Pool, log: Log) -> PoolMoved | ReadAgain | None:
        """Return what flowed in and out."""
        return self._vault.change_of(pool, log)

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read balances, weights and fee.

        Raises:
            NodeError: nothing could be read.
        """
        heads = await self._vault.heads(pools, reader, at)
        calls = (GET_WEIGHTS, GET_WEIGHT_UPDATE)
        answers = await reader.call(
            [Call(contract_of(pool), data) for pool in pools for data in calls], at
        )
        return [
            _pool_now(head, *answers[len(calls) * index : len(calls) * (index + 1)])
            for index, head in enumerate(heads)
        ]

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Return the pools as they are: a fee that changes is told."""
        del reader, at
        return list(pools)


def _pool_now(
    head: PoolHead | NotReadError, weights: bytes | None, update: bytes | None
) -> PoolNow | Unreadable:
    if isinstance(head, NotReadError):
        return unreadable(head)
    if update is not None:
        return Unreadable(why="its weights may change with time")
    try:
        words = numbers(answered(weights, 1, what="weights"), 0, what="weights")
        pool = with_fee(head.pool, head.fee_e18, FEE_ONE)
    except (NotReadError, BadValueError) as error:
        return unreadable(error)
    row = WeightedRow(
        balances_raw=tuple(map(str, head.balances_raw)),
        weights_e18=tuple(map(str, words)),
        has_shortcuts=head.is_late,
    )
    return pool_now(pool, row)
