"""Money comes back exactly, whatever its digits, from both databases."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.storage.append import _execution_row
from engine.storage.columns import PLACES_MAX, check_storable
from engine.storage.ledger import LedgerSettings
from engine.storage.opening import open_writer, prepare
from engine.storage.tables.trades import executions
from tests.storage import makers
from tests.storage.conftest import Clock

AMOUNTS = st.builds(
    lambda digits, exponent, sign: Decimal((sign, digits, exponent)),
    st.lists(st.integers(0, 9), min_size=1, max_size=PLACES_MAX).map(tuple),
    st.integers(-PLACES_MAX, 0),
    st.integers(0, 1),
)


def _is_refused(value: object) -> bool:
    try:
        check_storable(value)
    except BadValueError:
        return True
    return False


@pytest.mark.parametrize(
    "value",
    [
        0.1,
        1,
        "1",
        Decimal("NaN"),
        Decimal("-Infinity"),
        Decimal("1E+60"),
        Decimal("1E+999999"),
        Decimal("0E+70"),
        Decimal("1E-61"),
    ],
)
def test_what_is_no_bounded_decimal_is_refused(value: object) -> None:
    assert _is_refused(value)


@given(AMOUNTS)
def test_every_bounded_decimal_is_accepted(amount: Decimal) -> None:
    assert not _is_refused(amount)


@given(st.lists(AMOUNTS, max_size=20))
def test_a_sum_is_the_same_in_any_order(amounts: list[Decimal]) -> None:
    assert exact_sum(amounts) == exact_sum(reversed(amounts))


@given(st.lists(AMOUNTS, max_size=100))
def test_a_sum_has_no_rounding(amounts: list[Decimal]) -> None:
    assert _scaled(exact_sum(amounts)) == sum(map(_scaled, amounts))


async def test_stored_amounts_come_back_equal(bare_settings: LedgerSettings, clock: Clock) -> None:
    amounts = [Decimal("-0"), Decimal("0.00"), Decimal("1E+20"), Decimal("9" * 60)]
    # Hypothesis draws the amounts; the database then takes all of them in one transaction.

    @hypothesis_settings(max_examples=100)
    @given(AMOUNTS)
    def draw(amount: Decimal) -> None:
        amounts.append(amount)

    draw()
    template = _execution_row(makers.make_execution_record())
    rows = [
        {**template, "execution_id": f"{number:06d}", "profit_usd": amount}
        for number, amount in enumerate(amounts)
    ]

    async def store(connection: AsyncConnection) -> list[Decimal]:
        await connection.execute(insert(executions), rows)
        found = await connection.execute(
            select(executions.c.profit_usd).order_by(executions.c.execution_id)
        )
        return list(found.scalars())

    bare_settings.data_dir.mkdir()
    async with open_writer(bare_settings) as writer:
        await prepare(writer, settings=bare_settings, clock=clock)
        stored = await writer.transact(store)

    assert len(amounts) > 50
    assert stored == amounts


async def test_a_float_is_never_stored_as_money(
    bare_settings: LedgerSettings, clock: Clock
) -> None:
    row = {**_execution_row(makers.make_execution_record()), "profit_usd": 0.1}

    async def store(connection: AsyncConnection) -> None:
        await connection.execute(insert(executions), row)

    bare_settings.data_dir.mkdir()
    async with open_writer(bare_settings) as writer:
        await prepare(writer, settings=bare_settings, clock=clock)
        with pytest.raises(BadValueError, match="float"):
            await writer.transact(store)


def _scaled(amount: Decimal) -> int:
    sign, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    number: int = int("".join(map(str, digits))) * 10 ** (exponent + PLACES_MAX)
    return -number if sign else number
