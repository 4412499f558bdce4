"""Pools of Aerodrome and Velodrome V2, as Solidly made them: reserves, told whole by every change.

Their fee stands in the factory, which changes it without a word and can pause all of its pools.
"""

from collections.abc import Sequence
from typing import Final

from engine.chains.families.reading import (
    NotReadError,
    answered,
    pool_now,
    unreadable,
    with_fee,
)
from engine.chains.families.words import (
    address_at,
    call_data,
    check_words,
    flag,
    selector,
    topic,
    unsigned,
)
from engine.chains.ports import BlockRef, Call, Log, PoolNow, ReadAgain, Reader, Unreadable
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.blocks import PoolMoved
from engine.pools.moves import BalancesMove
from engine.pools.snapshot_rows import SolidlyRow
from engine.pools.solidly import SolidlyForm

SYNC: Final = topic("Sync(uint256,uint256)")
GET_RESERVES: Final = call_data(selector("getReserves()"))
IS_STABLE: Final = call_data(selector("stable()"))
GET_FACTORY: Final = call_data(selector("factory()"))
IS_PAUSED: Final = call_data(selector("isPaused()"))
GET_FEE: Final = selector("getFee(address,bool)")
FEE_ONE: Final = 10_000


class Solidly:
    """See `ports.Family`."""

    topics: Final = frozenset((SYNC,))
    is_polled: Final = True

    def address_of(self, log: Log) -> str:
        """Return the pool, which tells of itself."""
        return log.address

    def change_of(self, pool: Pool, log: Log) -> PoolMoved:
        """Return the new reserves.

        Raises:
            BadValueError: it cannot be an event of such a pool.
        """
        data = check_words(log.data, 2, what="a Sync")
        move = BalancesMove(balances_raw=(unsigned(data, 0), unsigned(data, 1)))
        return PoolMoved(address=pool.address, move=move)

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read reserves, and the fee from each pool's factory.

        Raises:
            NodeError: nothing could be read.
        """
        calls = (GET_RESERVES, IS_STABLE, GET_FACTORY)
        answers = await reader.call(
            [Call(pool.address, data) for pool in pools for data in calls], at
        )
        heads = [
            _head(answers[start : start + len(calls)])
            for start in range(0, len(answers), len(calls))
        ]
        asked = [
            call
            for pool, head in zip(pools, heads, strict=True)
            if not isinstance(head, NotReadError)
            for call in _fee_calls(pool, *head)
        ]
        fees = iter(await reader.call(asked, at))
        return [
            unreadable(head)
            if isinstance(head, NotReadError)
            else _pool_now(pool, head[0], next(fees), next(fees))
            for pool, head in zip(pools, heads, strict=True)
        ]

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Read fees and pauses: with the reserves, which are as few words.

        Raises:
            NodeError: nothing could be read.
        """
        read = await self.read(pools, reader, at)
        return [one if isinstance(one, Unreadable) else one.pool for one in read]


def _head(answers: Sequence[bytes | None]) -> tuple[SolidlyRow, str] | NotReadError:
    """Return a pool's state and its factory."""
    try:
        reserves = answered(answers[0], 2, what="reserves")
        is_stable = flag(answered(answers[1], 1, what="stable"), 0, what="stable")
        factory = address_at(answered(answers[2], 1, what="factory"), 0, what="factory")
    except NotReadError as error:
        return error
    except BadValueError as error:
        return NotReadError(str(error))
    row = SolidlyRow(
        reserves_raw=(str(unsigned(reserves, 0)), str(unsigned(reserves, 1))),
        curve=SolidlyForm.STABLE if is_stable else SolidlyForm.VOLATILE,
    )
    return row, factory


def _fee_calls(pool: Pool, row: SolidlyRow, factory: str) -> tuple[Call, Call]:
    is_stable = row.curve is SolidlyForm.STABLE
    fee = call_data(GET_FEE, int(pool.address, 16), int(is_stable))
    return Call(factory, fee), Call(factory, IS_PAUSED)


def _pool_now(
    pool: Pool, row: SolidlyRow, fee: bytes | None, is_paused: bytes | None
) -> PoolNow | Unreadable:
    try:
        named = with_fee(pool, unsigned(answered(fee, 1, what="fee"), 0), FEE_ONE)
        if is_paused is not None and flag(
            answered(is_paused, 1, what="pause"), 0, what="the factory's pause"
        ):
            return Unreadable(why="its factory has paused all swaps")
    except (NotReadError, BadValueError) as error:
        return unreadable(error)
    return pool_now(named, row)
