"""Plain StableSwap pools of Curve: read anew after each event, as none tells the balances.

Contracts of several years round in different orders and say nowhere which they are. So a reading
asks a pool for some quotes as well, and takes the form that answers all of them to the unit; a pool
that no form answers for is not followed. Metapools and pools of the other curve (with a gamma) are
refused by name.
"""

from collections.abc import Iterator, Sequence
from itertools import permutations
from typing import Final, NamedTuple

import msgspec

from engine.chains.families.reading import (
    NotReadError,
    answered,
    pool_now,
    unreadable,
    with_fee,
)
from engine.chains.families.words import (
    WORD,
    address_at,
    call_data,
    check_words,
    selector,
    topic,
    unsigned,
)
from engine.chains.ports import BlockRef, Call, Log, PoolNow, ReadAgain, Reader, Unreadable
from engine.domain.errors import BadValueError
from engine.domain.pools import Pool
from engine.pools.curve import COINS_MAX, FEE_ONE_E10, QuoteOrder, check_offpeg, quoted_out
from engine.pools.curve_math import ProductForm
from engine.pools.snapshot_rows import CurveRow

_LISTS: Final = ("uint256[]", *(f"uint256[{count}]" for count in range(2, COINS_MAX + 1)))
EVENTS: Final = (
    "TokenExchange(address,int128,uint256,int128,uint256)",
    "TokenExchangeUnderlying(address,int128,uint256,int128,uint256)",
    *(f"AddLiquidity(address,{one},{one},uint256,uint256)" for one in _LISTS),
    *(f"RemoveLiquidity(address,{one},{one},uint256)" for one in _LISTS),
    *(f"RemoveLiquidityImbalance(address,{one},{one},uint256,uint256)" for one in _LISTS),
    "RemoveLiquidityOne(address,uint256,uint256)",
    "RemoveLiquidityOne(address,uint256,uint256,uint256)",
    "RemoveLiquidityOne(address,int128,uint256,uint256,uint256)",
    "NewFee(uint256,uint256)",
    "ApplyNewFee(uint256)",
    "ApplyNewFee(uint256,uint256)",
    "RampA(uint256,uint256,uint256,uint256)",
    "StopRampA(uint256,uint256)",
)

GET_COIN: Final = selector("coins(uint256)")
GET_BALANCE: Final = selector("balances(uint256)")
GET_DY: Final = selector("get_dy(int128,int128,uint256)")
_ONCE = tuple(
    call_data(selector(signature))
    for signature in (
        "A()",
        "A_precise()",
        "future_A_time()",
        "fee()",
        "offpeg_fee_multiplier()",
        "stored_rates()",
        "gamma()",
        "BASE_POOL()",
        "base_pool()",
    )
)
_NG_FORMS: Final = (ProductForm.ONCE, *(one for one in ProductForm if one is not ProductForm.ONCE))
"""Where a pool has a multiplier it is StableSwap-NG, whose own form is tried first: at a few quotes
two forms may answer the same."""
AMP_PRECISION: Final = 100
"""Where a pool has `A_precise`."""

ONE_E18: Final = 10**18


class Curve:
    """See `ports.Family`."""

    topics: Final = frozenset(map(topic, EVENTS))
    is_polled: Final = True

    def address_of(self, log: Log) -> str:
        """Return the pool, which tells of itself."""
        return log.address

    def change_of(self, pool: Pool, log: Log) -> ReadAgain:
        """Ask for a reading: fees are taken out of balances, and no event tells how much."""
        del pool, log
        return ReadAgain(why="its events do not tell its balances")

    async def read(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[PoolNow | Unreadable]:
        """Read balances, rates, amplification, fee, and the quotes that tell the form.

        Raises:
            NodeError: nothing could be read.
        """
        answers = iter(
            await reader.call([call for pool in pools for call in _head_calls(pool)], at)
        )
        heads = [_head(pool, [next(answers) for _ in _head_calls(pool)], at) for pool in pools]
        probes = [[] if isinstance(head, NotReadError) else list(_probes(head)) for head in heads]
        quotes = iter(
            await reader.call(
                [
                    Call(pool.address, call_data(GET_DY, *probe))
                    for pool, asked in zip(pools, probes, strict=True)
                    for probe in asked
                ],
                at,
            )
        )
        return [
            unreadable(head)
            if isinstance(head, NotReadError)
            else _pool_now(head, [(probe, next(quotes)) for probe in asked])
            for head, asked in zip(heads, probes, strict=True)
        ]

    async def terms(
        self, pools: Sequence[Pool], reader: Reader, at: BlockRef
    ) -> list[Pool | ReadAgain | Unreadable]:
        """Ask for all to be read again: rates are no terms, and as many words as the rest."""
        del reader, at
        return [ReadAgain(why="its rates may have changed")] * len(pools)


class Probe(NamedTuple):
    """A quote that is asked for."""

    token_in: int
    token_out: int
    amount_in_raw: int


class CurveHead(NamedTuple):
    """A pool as it was read, in no form yet."""

    pool: Pool
    row: CurveRow
    forms: Sequence[ProductForm]


def _head_calls(pool: Pool) -> list[Call]:
    each = [
        Call(pool.address, call_data(asked, index))
        for asked in (GET_COIN, GET_BALANCE)
        for index in range(len(pool.tokens))
    ]
    return [*each, *(Call(pool.address, data) for data in _ONCE)]


def _head(pool: Pool, answers: Sequence[bytes | None], at: BlockRef) -> CurveHead | NotReadError:
    try:
        return _checked_head(pool, answers, at)
    except NotReadError as error:
        return error
    except BadValueError as error:
        return NotReadError(str(error))


def _checked_head(pool: Pool, answers: Sequence[bytes | None], at: BlockRef) -> CurveHead:
    count = len(pool.tokens)
    coins, balances = answers[:count], answers[count : 2 * count]
    amp, amp_precise, amp_ends, fee, offpeg, rates, gamma, *bases = answers[2 * count :]
    if gamma is not None:
        raise NotReadError("it has a gamma: it is none of the stable pools")
    if any(base is not None for base in bases):
        raise NotReadError("it is a metapool: its rate moves with another pool")
    for index, answer in enumerate(coins):
        coin = address_at(answered(answer, 1, what=f"coin {index}"), 0, what=f"coin {index}")
        if pool.token_addresses[index : index + 1] != (coin,):
            raise NotReadError(f"its coin {index} is {coin}, another than it is known by")
    ends_s = unsigned(answered(amp_ends, 1, what="end of a change of amplification"), 0)
    if ends_s > at.made_at_s:
        raise NotReadError("its amplification is changing with time")
    precision = 1 if amp_precise is None else AMP_PRECISION
    fee_e10 = unsigned(answered(fee, 1, what="fee"), 0)
    offpeg_e10 = 0 if offpeg is None else unsigned(answered(offpeg, 1, what="off-peg fee"), 0)
    named = with_fee(pool, fee_e10, FEE_ONE_E10)
    check_offpeg(offpeg_e10, fee_e10=fee_e10, pool=str(pool.pool_id))
    row = CurveRow(
        balances_raw=tuple(
            str(unsigned(answered(one, 1, what=f"balance {index}"), 0))
            for index, one in enumerate(balances)
        ),
        amp=unsigned(
            answered(amp if amp_precise is None else amp_precise, 1, what="amplification"), 0
        ),
        amp_precision=precision,
        rates_e18=_rates(pool, rates),
        offpeg_e10=offpeg_e10 if offpeg_e10 > FEE_ONE_E10 else msgspec.UNSET,
    )
    return CurveHead(named, row, tuple(ProductForm) if offpeg is None else _NG_FORMS)


def _rates(pool: Pool, answer: bytes | None) -> tuple[str, ...]:
    """Return the coins' rates, nothing if all are one: a list, or as many words as coins."""
    if answer is None:
        return ()
    count = len(pool.tokens)
    if len(answer) == count * WORD:
        data = answer
    else:
        data = check_words(answer, count + 2, what="stored rates")[2 * WORD :]
    rates = []
    for index, (asset, places) in enumerate(pool.tokens):
        rate, rest = divmod(unsigned(data, index), 10 ** max(18 - places, 0))
        if rest:
            raise NotReadError(f"the rate of {asset} is finer than its decimals")
        rates.append(rate)
    return () if rates == [ONE_E18] * count else tuple(map(str, rates))


def _probes(head: CurveHead) -> Iterator[Probe]:
    """Give quotes of each direction: of a part of the balance, and of so little that it rounds."""
    balances = [int(one) for one in head.row.balances_raw]
    for token_in, token_out in permutations(range(len(balances)), 2):
        for amount_raw in (balances[token_in] // 7 + 1, balances[token_in] // 10_007 + 1):
            yield Probe(token_in, token_out, amount_raw)


def _pool_now(
    head: CurveHead, quotes: Sequence[tuple[Probe, bytes | None]]
) -> PoolNow | Unreadable:
    for form in head.forms:
        for order in QuoteOrder:
            row = msgspec.structs.replace(head.row, product_form=form, quote_order=order)
            if _answers(head.pool, row, quotes):
                return pool_now(head.pool, row)
    return Unreadable(why="its quotes are not those of any form of StableSwap that is known")


def _answers(pool: Pool, row: CurveRow, quotes: Sequence[tuple[Probe, bytes | None]]) -> bool:
    """Say whether a form gives all quotes to the unit."""
    try:
        state = row.state(pool)
        return all(
            quoted_out(
                state, probe.amount_in_raw, token_in=probe.token_in, token_out=probe.token_out
            )
            == unsigned(answered(answer, 1, what="quote"), 0)
            for probe, answer in quotes
        )
    except (NotReadError, BadValueError):
        return False
