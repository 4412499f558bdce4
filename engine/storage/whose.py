"""Whose rows of money are meant: of one engine, one basis, one kind of money, or of all."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, true

from engine.domain.modes import Basis, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """An engine, a basis, and paper or live; None stands for all of them."""

    engine_id: str | None = None
    basis: Basis | None = None
    money: Money | None = None

    def rows(self, table: Table) -> ColumnElement[bool]:
        """Select its rows of a table that says all three."""
        parts: list[ColumnElement[bool]] = [true()]
        if self.engine_id is not None:
            parts.append(table.c.engine_id == self.engine_id)
        if self.basis is not None:
            parts.append(table.c.basis == self.basis.value)
        if self.money is not None:
            parts.append(table.c.money == self.money.value)
        return and_(*parts)
