"""Whose rows of money are meant: of one engine, of one basis, or of all."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, and_, true

from engine.domain.modes import Basis


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """An engine and a basis; None stands for all of them."""

    engine_id: str | None = None
    basis: Basis | None = None

    def rows(self, table: Table) -> ColumnElement[bool]:
        """Select its rows of a table that says both."""
        parts: list[ColumnElement[bool]] = [true()]
        if self.engine_id is not None:
            parts.append(table.c.engine_id == self.engine_id)
        if self.basis is not None:
            parts.append(table.c.basis == self.basis.value)
        return and_(*parts)
