"""How an execution is called among routes: by its pair and venues, or as what closed a leftover.

A closing buys and sells at one venue, as a route of three pairs there does; its opportunity's id
tells it from one. The database says it as this does.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, case, func

from engine.domain.plans import is_closing
from engine.storage.tables.trades import executions

_DIGITS: Final = "0123456789"
_id, _pair = executions.c.opportunity_id, executions.c.pair
_buy, _sell = executions.c.buy_venue, executions.c.sell_venue
_unnumbered = func.rtrim(_id, _DIGITS)

IS_CLOSING: Final[ColumnElement[bool]] = and_(_unnumbered.like("%-flat"), _unnumbered != _id)
"""`is_closing` of an execution, in SQL."""

ROUTE: Final[ColumnElement[str]] = case(
    (IS_CLOSING, _pair + " closing at " + _buy), else_=_pair + " " + _buy + "→" + _sell
)
"""`route_of` an execution, in SQL."""


def route_of(row: Row[Any]) -> str:
    """Return how an execution with these columns is called."""
    if is_closing(row.opportunity_id):
        return f"{row.pair} closing at {row.buy_venue}"
    return f"{row.pair} {row.buy_venue}→{row.sell_venue}"
