"""What all tables have in common: how what is made of them is named, and columns of several."""

from sqlalchemy import BigInteger, Column, Integer, MetaData, Text

from engine.domain.engines import MAIN
from engine.domain.modes import Money

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def engine_id() -> "Column[str]":
    """Make the id of the engine whose row it is; all of earlier versions are of one."""
    return Column("engine_id", Text, nullable=False, server_default=MAIN)


def money() -> "Column[str]":
    """Make the word for the money that was moved; before there were two it was all paper."""
    return Column("money", Text, nullable=False, server_default=Money.PAPER.value)


def number() -> "Column[int]":
    """Make a number that the database counts up and never uses twice, even after deletions."""
    whole = BigInteger().with_variant(Integer(), "sqlite")
    return Column("seq", whole, primary_key=True, autoincrement=True)
