"""A Curve pool is read by its quotes: what form it is, or none that is known."""

import asyncio
from dataclasses import replace
from itertools import permutations

import msgspec
import pytest

from engine.chains.families.curve import Curve
from engine.chains.ports import PoolNow, Unreadable
from engine.domain.assets import AssetCode
from engine.domain.pools import Pool, Protocol
from engine.pools.curve import QuoteOrder, quoted_out
from engine.pools.curve_math import ProductForm
from engine.pools.snapshot_rows import CurveRow
from tests.chains.families.answers import AT, Answers
from tests.chains.families.logs import make_pool

ADDRESSES = tuple("0x" + digit * 40 for digit in "234")
DECIMALS = (18, 6, 8)
BALANCES = (10**24 + 77, 2 * 10**12 + 5, 3 * 10**14 + 1)


def curve_pool(count: int) -> Pool:
    codes = tuple(
        (AssetCode(f"X@ethereum:{address}"), places)
        for address, places in zip(ADDRESSES[:count], DECIMALS[:count], strict=True)
    )
    return replace(
        make_pool(Protocol.CURVE, fee="0.0004"), tokens=codes, token_addresses=ADDRESSES[:count]
    )


def said_by(pool: Pool, row: CurveRow, *, off_by: int = 0) -> Answers:
    """Answer as a contract of this form, whose quotes are off by so much."""
    reader, address = Answers(), pool.address
    count = len(pool.tokens)
    for index in range(count):
        reader.say(address, "coins(uint256)", (index,), words=(int(ADDRESSES[index], 16),))
        reader.say(address, "balances(uint256)", (index,), words=(BALANCES[index],))
    if row.amp_precision == 100:
        reader.say(address, "A_precise()", words=(row.amp,))
    reader.say(address, "A()", words=(row.amp // row.amp_precision,))
    reader.say(address, "future_A_time()", words=(AT.made_at_s,))
    reader.say(address, "fee()", words=(4_000_000,))
    if row.offpeg_e10:
        reader.say(address, "offpeg_fee_multiplier()", words=(row.offpeg_e10,))
    state = row.state(pool)
    for token_in, token_out in permutations(range(count), 2):
        for part in (7, 10_007):
            amount = BALANCES[token_in] // part + 1
            out = quoted_out(state, amount, token_in=token_in, token_out=token_out)
            reader.say(
                address,
                "get_dy(int128,int128,uint256)",
                (token_in, token_out, amount),
                words=(out + off_by,),
            )
    return reader


def read(pool: Pool, reader: Answers) -> PoolNow | Unreadable:
    (now,) = asyncio.run(Curve().read([pool], reader, AT))
    return now


@pytest.mark.parametrize("order", QuoteOrder)
@pytest.mark.parametrize("form", ProductForm)
@pytest.mark.parametrize("count", [2, 3])
def test_the_form_that_gives_all_quotes_is_taken(
    form: ProductForm, order: QuoteOrder, count: int
) -> None:
    if form is ProductForm.PAIR and count != 2:
        return
    pool = curve_pool(count)
    row = CurveRow(
        balances_raw=tuple(map(str, BALANCES[:count])),
        amp=20_000,
        amp_precision=100,
        product_form=form,
        quote_order=order,
    )

    now = read(pool, said_by(pool, row))

    assert isinstance(now, PoolNow)
    assert isinstance(now.row, CurveRow)
    state, expected = now.row.state(pool), row.state(pool)
    for part in (3, 7, 1_001, 10_007):
        amount = BALANCES[0] // part + 1
        assert quoted_out(state, amount, token_in=0, token_out=1) == quoted_out(
            expected, amount, token_in=0, token_out=1
        )


@pytest.mark.parametrize("count", [2, 3])
def test_a_pool_whose_fee_rises_off_the_peg_is_read_with_its_multiplier(count: int) -> None:
    pool = curve_pool(count)
    row = CurveRow(
        balances_raw=tuple(map(str, BALANCES[:count])),
        amp=20_000,
        amp_precision=100,
        product_form=ProductForm.ONCE,
        offpeg_e10=5 * 10**10,
    )

    now = read(pool, said_by(pool, row))

    assert isinstance(now, PoolNow)
    assert now.row == row


def test_a_pool_whose_quotes_are_at_another_multiplier_than_it_says_is_not_followed() -> None:
    pool = curve_pool(3)
    row = CurveRow(
        balances_raw=tuple(map(str, BALANCES)), amp=200, amp_precision=1, offpeg_e10=5 * 10**10
    )
    reader = said_by(pool, row)
    reader.say(pool.address, "offpeg_fee_multiplier()", words=(5 * 10**10 + 10**8,))

    assert isinstance(read(pool, reader), Unreadable)


def test_a_multiplier_of_one_leaves_the_fee_as_it_is() -> None:
    pool = curve_pool(3)
    row = CurveRow(balances_raw=tuple(map(str, BALANCES)), amp=200, amp_precision=1)
    reader = said_by(pool, row)
    reader.say(pool.address, "offpeg_fee_multiplier()", words=(10**10,))

    now = read(pool, reader)

    assert isinstance(now, PoolNow)
    assert isinstance(now.row, CurveRow)
    assert now.row.offpeg_e10 is msgspec.UNSET


def test_a_pool_whose_quotes_no_form_gives_is_not_followed() -> None:
    pool = curve_pool(3)
    row = CurveRow(balances_raw=tuple(map(str, BALANCES)), amp=200, amp_precision=1)

    assert isinstance(read(pool, said_by(pool, row)), PoolNow)
    assert isinstance(read(pool, said_by(pool, row, off_by=1)), Unreadable)


@pytest.mark.parametrize(
    ("signature", "words", "why"),
    [
        ("gamma()", (10**15,), "gamma"),
        ("BASE_POOL()", (5,), "metapool"),
        ("base_pool()", (5,), "metapool"),
        ("offpeg_fee_multiplier()", (1251 * 10**10,), "would rise off the peg to 5004000000"),
        ("offpeg_fee_multiplier()", (1 << 255,), "off-peg multiplier of the fee"),
        ("future_A_time()", (AT.made_at_s + 1,), "amplification is changing"),
        ("fee()", (10**10,), "fee is"),
        ("stored_rates()", (1,), "bytes, not"),
        ("stored_rates()", (64, 3, 10**18, 10**30 + 1, 10**28), "finer than its decimals"),
    ],
)
def test_pools_that_are_not_followed_are_refused_by_name(
    signature: str, words: tuple[int, ...], why: str
) -> None:
    pool = curve_pool(3)
    row = CurveRow(balances_raw=tuple(map(str, BALANCES)), amp=200, amp_precision=1)
    reader = said_by(pool, row)
    reader.say(pool.address, signature, words=words)

    now = read(pool, reader)

    assert isinstance(now, Unreadable)
    assert why in now.why


def test_another_coin_than_it_is_known_by_is_refused() -> None:
    pool = curve_pool(3)
    row = CurveRow(balances_raw=tuple(map(str, BALANCES)), amp=200, amp_precision=1)
    reader = said_by(pool, row)
    reader.say(pool.address, "coins(uint256)", (1,), words=(5,))

    now = read(pool, reader)

    assert isinstance(now, Unreadable)
    assert "another than it is known by" in now.why
