"""Column types that keep money exact and free text storable on SQLite and PostgreSQL alike."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Numeric, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

from engine.domain.errors import BadValueError

PLACES_MAX = 60
"""Most digits before, and most digits after, the decimal point of a stored amount."""


def check_storable(value: object) -> Decimal:
    """Return the value if it is a finite decimal of bounded length.

    Raises:
        BadValueError: it is a float or another type, not finite, or longer than `PLACES_MAX`
            digits before or after the point.
    """
    if not isinstance(value, Decimal):
        raise BadValueError(f"amount {value!r} is a {type(value).__name__}; it must be a Decimal")
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise BadValueError(f"amount {value} is not finite; nothing can be booked with it")
    if exponent < -PLACES_MAX or max(value.adjusted(), exponent) >= PLACES_MAX:
        raise BadValueError(
            f"amount {value} has more than {PLACES_MAX} digits on a side of the decimal point"
        )
    return value


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal that comes back exactly: plain text on SQLite, NUMERIC on PostgreSQL.

    SQLite would keep a NUMERIC as an 8-byte float.
    """

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(Numeric(asdecimal=True))
        return dialect.type_descriptor(Text())

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        """Turn a decimal into what the database stores."""
        if value is None:
            return None
        exact = check_storable(value)
        return exact if dialect.name == "postgresql" else f"{exact:f}"

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        """Turn what the database stores into a decimal."""
        del dialect
        return None if value is None else Decimal(value)


class FreeText(TypeDecorator[str]):
    """Text from outside: what no database can store is replaced, so that it never stops money.

    PostgreSQL refuses the zero character, both refuse half of a surrogate pair.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Replace what cannot be stored by a replacement character."""
        del dialect
        if value is None:
            return None
        storable = value.replace("\x00", "\N{REPLACEMENT CHARACTER}")
        return storable.encode("utf-8", "replace").decode("utf-8")
