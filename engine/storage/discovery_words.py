"""The words of discoveries, in the full-text index of whichever database the ledger has.

Both are given words of small letters and digits, and are asked for the beginnings of such words, so
that they find the same: neither's own way to split text has anything to do.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Select, column, select, table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.domain.discoveries import Discovery

NAME: Final = "discovery_words"
WORDS_MAX: Final = 8
"""Most words that are looked for at once."""

LENGTH_MAX: Final = 60
_WORD: Final = re.compile("[a-z0-9]+")


def words_of(line: str) -> list[str]:
    """Return the words of a line: small letters without accents, and digits."""
    plain = unicodedata.normalize("NFKD", line.casefold()).encode("ascii", "ignore").decode()
    return [word[:LENGTH_MAX] for word in _WORD.findall(plain)]


def words_in(discovery: Discovery) -> list[str]:
    """Return all words of a discovery."""
    lines = (discovery.kind, discovery.subject, discovery.says, *discovery.evidence)
    return [word for line in lines for word in words_of(line)]


async def add(connection: AsyncConnection, seq: int, words: Iterable[str]) -> None:
    """Put the words of a discovery into the index, in place of those that it had."""
    await remove(connection, [seq])
    known = sorted(set(words))
    if connection.dialect.name == "sqlite":
        added = text(f"INSERT INTO {NAME} (rowid, words) VALUES (:seq, :words)")  # noqa: S608 - a constant
        await connection.execute(added, {"seq": seq, "words": " ".join(known)})
        return
    added = text(
        f"INSERT INTO {NAME} (seq, words) "  # noqa: S608 - a constant
        "VALUES (:seq, array_to_tsvector(CAST(:words AS text[])))"
    )
    await connection.execute(added, {"seq": seq, "words": known})


async def remove(connection: AsyncConnection, seqs: Sequence[int]) -> None:
    """Take discoveries out of the index."""
    key = "rowid" if connection.dialect.name == "sqlite" else "seq"
    if seqs:
        removed = text(f"DELETE FROM {NAME} WHERE {key} = :seq")  # noqa: S608 - constants
        await connection.execute(removed, [{"seq": seq} for seq in seqs])


def matching(connection: AsyncConnection, words: Sequence[str]) -> Select[tuple[int]]:
    """Select the numbers of discoveries that hold, for each of the words, one that begins so."""
    asked = sorted(set(words))[:WORDS_MAX]
    if connection.dialect.name == "sqlite":
        query = " AND ".join(f'"{word}"*' for word in asked)
        rule = text(f"{NAME} MATCH :query").bindparams(query=query)
        return select(column("rowid")).select_from(table(NAME)).where(rule)
    query = " & ".join(f"{word}:*" for word in asked)
    rule = text("words @@ CAST(:query AS tsquery)").bindparams(query=query)
    return select(column("seq")).select_from(table(NAME)).where(rule)
