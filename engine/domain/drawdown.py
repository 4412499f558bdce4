"""How far realised profit has fallen below the highest point that it had."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum
from engine.domain.units import NS_PER_S

SINCE_PATTERN: Final = r"^(\d{4}-\d\d-\d\d(T\d\d:\d\dZ)?)?$"
"""A UTC day, or a minute of it, or nothing."""


@dataclass(slots=True)
class Drawdown:
    """The fall, in USD; it needs neither the peak nor the sum, which both go on for ever."""

    usd: Decimal = Decimal(0)

    def add(self, profit_usd: Decimal) -> None:
        """Count what was realised next, in the order in which it was booked."""
        self.usd = max(exact_sum((self.usd, -profit_usd)), Decimal(0))


def parse_since(text: str, *, at_ns: int) -> int:
    """Return the instant that `SINCE_PATTERN` names, 0 for nothing.

    Raises:
        BadValueError: there is no such day, or it is still to come at `at_ns`.
    """
    if not text:
        return 0
    try:
        since = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadValueError(f"{text} is no day or minute: {error}") from error
    since_ns = int(since.replace(tzinfo=UTC).timestamp()) * NS_PER_S
    if since_ns > at_ns:
        raise BadValueError(f"{text} is still to come; what is lost until then would not count")
    return since_ns
