"""Exact sums and products of money within the database.

PostgreSQL has them (NUMERIC). SQLite's own numbers would round, so its amounts are text, and the
connection has functions for them.
"""

from decimal import Decimal
from typing import Any

import aiosqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.functions import GenericFunction

from engine.domain.exact import exact_product, exact_sum
from engine.storage.columns import ExactDecimal

NOT_SLIPPAGE = ("fee", "transfer", "gas")
"""Causes of a story that are costs of their own."""


class exact_total(GenericFunction[Decimal]):  # noqa: N801 - it is the function's name in SQL
    """The sum of amounts; nothing for no amounts."""

    type = ExactDecimal()
    inherit_cache = True


class exact_times(GenericFunction[Decimal]):  # noqa: N801 - it is the function's name in SQL
    """The product of two amounts."""

    type = ExactDecimal()
    inherit_cache = True


class StoryUsd(ColumnElement[Decimal]):
    """What a part of a story came to in USD; nothing where there is no story."""

    inherit_cache = False  # the part is no element that a cache would tell apart
    type = ExactDecimal()

    def __init__(self, story: ColumnElement[Any], part: str) -> None:
        self.story = story
        self.part = part


class StorySlippage(ColumnElement[Decimal]):
    """By how much a trade came to more than planned for other causes than its costs."""

    inherit_cache = False
    type = ExactDecimal()

    def __init__(self, story: ColumnElement[Any]) -> None:
        self.story = story


async def add_functions(driver: aiosqlite.Connection) -> None:
    """Give a connection to SQLite its exact functions."""
    # The driver has a wrapper for functions, none for aggregates.
    make: Any = driver._conn.create_aggregate  # noqa: SLF001
    run: Any = driver._execute  # noqa: SLF001
    await run(make, "exact_total", 1, _Total)
    await driver.create_function("exact_times", 2, _times, deterministic=True)


class _Total:
    def __init__(self) -> None:
        self._total: Decimal | None = None

    def step(self, amount: str | None) -> None:
        """Add an amount."""
        if amount is not None:
            self._total = exact_sum((self._total or Decimal(0), Decimal(amount)))

    def finalize(self) -> str | None:
        """Return the sum as it would be stored."""
        return None if self._total is None else f"{self._total:f}"


def _times(one: str | None, other: str | None) -> str | None:
    if one is None or other is None:
        return None
    return f"{exact_product(Decimal(one), Decimal(other)):f}"


@compiles(exact_total, "postgresql")
def _total_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"sum({compiler.process(element.clauses, **options)})"


@compiles(exact_times, "postgresql")
def _times_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    one, other = element.clauses
    return f"({compiler.process(one, **options)} * {compiler.process(other, **options)})"


@compiles(StoryUsd, "sqlite")
def _part_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_extract({compiler.process(element.story, **options)}, '$.{element.part}.usd')"


@compiles(StoryUsd, "postgresql")
def _part_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    story = compiler.process(element.story, **options)
    return f"(CAST({story} AS jsonb) #>> '{{{element.part},usd}}')::numeric"


@compiles(StorySlippage, "sqlite")
def _slippage_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    story = compiler.process(element.story, **options)
    return (
        "(SELECT exact_total(json_extract(part.value, '$.worth.usd'))"  # noqa: S608 - names
        f" FROM json_each({story}, '$.to_realised') AS part"
        f" WHERE json_extract(part.value, '$.cause') NOT IN {NOT_SLIPPAGE})"
    )


@compiles(StorySlippage, "postgresql")
def _slippage_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    story = compiler.process(element.story, **options)
    return (
        "(SELECT sum((part #>> '{worth,usd}')::numeric)"  # noqa: S608 - names
        f" FROM jsonb_array_elements(CAST({story} AS jsonb) -> 'to_realised') AS part"
        f" WHERE part ->> 'cause' NOT IN {NOT_SLIPPAGE})"
    )
