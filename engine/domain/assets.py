"""Assets and exact amounts of them."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import NewType

from engine.domain.errors import BadValueError
from engine.domain.exact import exact_sum

AssetCode = NewType("AssetCode", str)
"""Canonical upper-case code of an asset, such as ``BTC``; wire names stop at the connector."""


def parse_decimal(text: str, *, what: str) -> Decimal:
    """Parse a finite decimal number.

    Raises:
        BadValueError: the text is no finite decimal number; `what` names the field in the message.
    """
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise BadValueError(f"{what} is not a number: {text!r}") from error
    if not number.is_finite():
        raise BadValueError(f"{what} is not finite: {text!r}")
    return number


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact amount of one asset, in human units (1 means 1 BTC, not 1 satoshi)."""

    value: Decimal
    asset: AssetCode

    @classmethod
    def of(cls, text: str | int | Decimal, asset: str) -> "Amount":
        """Make an amount from text, a whole number or a decimal; floats are not accepted.

        Raises:
            BadValueError: the text is no finite decimal number.
        """
        if isinstance(text, Decimal):
            if not text.is_finite():
                raise BadValueError(f"amount of {asset} is not finite: {text}")
            return cls(text, AssetCode(asset))
        return cls(parse_decimal(str(text), what=f"amount of {asset}"), AssetCode(asset))

    def __add__(self, other: "Amount") -> "Amount":
        return Amount(exact_sum((self.value, self._same(other))), self.asset)

    def __sub__(self, other: "Amount") -> "Amount":
        return Amount(exact_sum((self.value, -self._same(other))), self.asset)

    def __neg__(self) -> "Amount":
        return Amount(-self.value, self.asset)

    def __lt__(self, other: "Amount") -> bool:
        return self.value < self._same(other)

    def __le__(self, other: "Amount") -> bool:
        return self.value <= self._same(other)

    def __str__(self) -> str:
        return f"{self.value:f} {self.asset}"

    def _same(self, other: "Amount") -> Decimal:
        if other.asset != self.asset:
            raise BadValueError(f"cannot combine {self} with {other}: different assets")
        return other.value
