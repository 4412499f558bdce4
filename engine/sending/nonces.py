"""Our own table of nonces, on disk before anything that it says leaves.

Each change is one transaction: what was handed over, which nonce it has, all that was signed for
it, and what was told of it stand or fall together, and a sync stands behind each but one. So
whatever a crash leaves is a state that `life.take` goes on from.
"""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.engines import MAIN
from engine.domain.errors import BadValueError, FatalError
from engine.domain.handed import Handed
from engine.domain.told import TransactionNews
from engine.domain.truths import Foreseen
from engine.sending.allowing_ids import plans_id
from engine.sending.asked import NOT_BEGUN, AskedTable
from engine.sending.asked import SCHEMA as ASKED_SCHEMA
from engine.sending.chain_table import SCHEMA as CHAIN_SCHEMA
from engine.sending.chain_table import ChainTable
from engine.sending.facts import ChainMark, Life
from engine.sending.stages import Stage
from engine.sending.table_file import TableFile
from engine.sending.told_table import SCHEMA as TOLD_SCHEMA
from engine.sending.told_table import ToldTable

NEAR: Final = 100
"""Nonces that far apart are never in one block."""

_SCHEMA: Final = """
create table if not exists handed (
  client_order_id text primary key, handed blob, why text not null
) without rowid;
create table if not exists lives (
  chain_id integer not null, wallet text not null, nonce integer not null,
  client_order_id text not null unique, is_open integer not null, life blob not null,
  primary key (chain_id, wallet, nonce)
) without rowid;
create index if not exists open_lives on lives (is_open) where is_open;
create table if not exists foreseen (
  client_order_id text primary key, foreseen blob not null
) without rowid;
create table if not exists former_lives (
  client_order_id text primary key, nonce integer not null, life blob not null
) without rowid;
"""


class NonceTable:
    """The file; see the module.

    Attributes:
        file: in which it is.
        asked: what persons asked for, in the same file.
        told: what was told, in the same file.
        chains: what is known of each chain, in the same file.
    """

    def __init__(self, path: Path) -> None:
        """Open it, or make it at the first start.

        Raises:
            TransientError: another process has it open.
            FatalError: it cannot be used.
        """
        self.file: Final = TableFile(path, _SCHEMA + TOLD_SCHEMA + CHAIN_SCHEMA + ASKED_SCHEMA)
        self._run = self.file.run
        self._together = self.file.together
        self.told: Final = ToldTable(self._run, self._together, self._engine_of)
        self.chains: Final = ChainTable(self._run, self._together)
        self.asked: Final = AskedTable(self._run, self._together)
        # Asked for with each look: kept beside the file, which has the whole past.
        self._waiting: dict[str, Handed] = {}
        self._wait_if_due("true")

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def hand_over(self, handed: Handed) -> str:
        """Take a plan on, once; returns why it is refused, nothing if it is taken or was before.

        The end of the process cannot lose it from here on; a loss of power can until the file was
        synced, which is done once the plan has its nonce, and before whoever asks is answered.

        Raises:
            BadValueError: another plan was handed over under its id.
        """
        with self._together(is_synced=False):
            before = self._run(
                "select handed, why from handed where client_order_id = ?",
                (handed.client_order_id,),
            )
            if not before:
                self._run(
                    "insert into handed values (?, ?, '')",
                    (handed.client_order_id, msgspec.json.encode(handed)),
                )
        if not before:
            self._waiting[handed.client_order_id] = handed
            return ""
        stored, why = before[0]
        if stored is None:
            return str(why)
        content = msgspec.json.encode(handed.plan, order="deterministic")
        known = msgspec.json.decode(stored, type=Handed)
        if msgspec.json.encode(known.plan, order="deterministic") != content:
            raise BadValueError(f"{handed.client_order_id} was handed over with another plan")
        return ""

    def fence(self, client_order_id: str, why: str) -> bool:
        """Say whether a plan was ever handed over; if not, it never will be, from now on."""
        with self._together():
            before = self._run(
                "select handed from handed where client_order_id = ?", (client_order_id,)
            )
            if not before:
                self._run("insert into handed values (?, null, ?)", (client_order_id, why))
        return bool(before) and before[0][0] is not None

    def handed(self, client_order_id: str) -> Handed | None:
        """Return what was handed over under an id, None if nothing was."""
        found = self._run("select handed from handed where client_order_id = ?", (client_order_id,))
        if not found or found[0][0] is None:
            return None
        return msgspec.json.decode(found[0][0], type=Handed)

    def waiting(self) -> list[Handed]:
        """Return what was handed over and has neither a nonce nor an end, oldest first."""
        return sorted(self._waiting.values(), key=lambda one: (one.at_ns, one.client_order_id))

    def _wait_if_due(self, which: str, *values: object) -> None:
        """Have those wait that were handed over and have neither a nonce nor an end."""
        found = self._run(
            "select handed from handed where handed is not null"  # noqa: S608 - ours
            f" and {which} and {NOT_BEGUN.format('handed')}",
            values,
        )
        for (content,) in found:
            handed = msgspec.json.decode(content, type=Handed)
            self._waiting[handed.client_order_id] = handed

    def reserve(self, life: Life) -> None:
        """Keep a nonce for a plan, and all that was written before; with a sync.

        Raises:
            BadValueError: the nonce is another's, or the plan has one.
        """
        if life.stage is not Stage.RESERVED or life.draft is None:
            raise BadValueError(f"nonce {life.nonce} is kept for what waits to be signed")
        try:
            self._run(
                "insert into lives values (?, ?, ?, ?, 1, ?)",
                (*_key(life), life.client_order_id, msgspec.json.encode(life)),
            )
        except FatalError as error:
            if isinstance(error.__cause__, sqlite3.IntegrityError):
                raise BadValueError(
                    f"nonce {life.nonce} of {life.wallet} is in use, or {life.client_order_id} has"
                    " one"
                ) from error
            raise
        self._waiting.pop(life.client_order_id, None)
        self.file.sync()

    def keep(
        self, life: Life, news: Sequence[TransactionNews] = (), *, is_synced: bool = True
    ) -> None:
        """Keep what is known of a nonce and what is told of it, together.

        What is void frees its nonce; what was foreseen of it stays. What is not synced a loss of
        power may forget: then it is learned anew.
        """
        with self._together(is_synced=is_synced or bool(news)):
            if life.stage is Stage.VOID:
                if life.foreseen is not None:
                    self._foresee(life.client_order_id, life.foreseen)
                self._run(
                    "delete from lives where chain_id = ? and wallet = ? and nonce = ?", _key(life)
                )
            else:
                self._run(
                    "update lives set is_open = ?, life = ?"
                    " where chain_id = ? and wallet = ? and nonce = ?",
                    (int(not life.has_ended), msgspec.json.encode(life), *_key(life)),
                )
            for one in news:
                self.told.put(one)
        self._told_of_all(news)
        if life.stage is Stage.VOID:
            self._wait_if_due("client_order_id = ?", life.client_order_id)

    def tell(
        self, news: TransactionNews, foreseen: Foreseen | None = None, *, engine: str = MAIN
    ) -> None:
        """Tell of a plan that never had a nonce, with what was foreseen of it.

        `engine` is whose it is, if it was never handed over.
        """
        with self._together():
            self.told.put(news, engine=engine)
            if foreseen is not None:
                self._foresee(news.client_order_id, foreseen)
        self._told_of_all([news])

    def _told_of_all(self, news: Sequence[TransactionNews]) -> None:
        for one in news:
            self._waiting.pop(one.client_order_id, None)

    def foreseen(self, client_order_id: str) -> Foreseen | None:
        """Return what was foreseen of a plan, None if nothing was."""
        life = self.life_of(client_order_id)
        if life is not None:
            return life.foreseen
        found = self._run(
            "select foreseen from foreseen where client_order_id = ?", (client_order_id,)
        )
        return msgspec.json.decode(found[0][0], type=Foreseen) if found else None

    def open_lives(self) -> list[Life]:
        """Return all that has not ended, by chain and nonce."""
        found = self._run("select life from lives where is_open order by chain_id, wallet, nonce")
        return [msgspec.json.decode(content, type=Life) for (content,) in found]

    def life_of(self, client_order_id: str) -> Life | None:
        """Return the life of a plan's nonce, None if it has none."""
        found = self._run(
            "select life from lives where client_order_id = ?"
            " union all select life from former_lives where client_order_id = ?",
            (client_order_id, client_order_id),
        )
        return msgspec.json.decode(found[0][0], type=Life) if found else None

    def newest_lives(self, most: int) -> list[Life]:
        """Return the lives of the highest nonces, ended or not, highest first.

        Those of a chain that is gone come last.
        """
        found = self._run(
            "select life, 0 as is_former, nonce from lives"
            " union all select life, 1, nonce from former_lives"
            " order by is_former, nonce desc limit ?",
            (most,),
        )
        return [msgspec.json.decode(content, type=Life) for content, *_ in found]

    def count(self) -> int:
        """Return how many nonces were ever kept."""
        ((found,),) = self._run(
            "select (select count(*) from lives) + (select count(*) from former_lives)"
        )
        return int(found)

    def begin_anew(
        self,
        chain_id: int,
        mark: ChainMark,
        ended: Sequence[Life],
        news: Sequence[TransactionNews],
    ) -> None:
        """End all that was of a chain that is gone, and know the one in its place; together.

        Args:
            chain_id: which both have.
            mark: of the new one.
            ended: what had not ended, as it ends now.
            news: what is told of it.
        """
        with self._together():
            for life in ended:
                self._run(
                    "update lives set is_open = 0, life = ?"
                    " where chain_id = ? and wallet = ? and nonce = ?",
                    (msgspec.json.encode(life), *_key(life)),
                )
            self._run(
                "insert into former_lives select client_order_id, nonce, life from lives"
                " where chain_id = ?",
                (chain_id,),
            )
            self._run("delete from lives where chain_id = ?", (chain_id,))
            self.chains.put_mark(chain_id, mark)
            for one in news:
                self.told.put(one)
        self._told_of_all(news)

    def unsent(self) -> tuple[int, TransactionNews | None]:
        """Return how many plans ended without a nonce, and what was told of the newest."""
        ((found, newest),) = self._run(
            "select count(*), max(number) from tellings"
            " where client_order_id not in (select client_order_id from lives"
            " union select client_order_id from former_lives)"
        )
        if newest is None:
            return 0, None
        ((news,),) = self._run("select news from tellings where number = ?", (newest,))
        return int(found), msgspec.json.decode(news, type=TransactionNews)

    def lives_beside(self, life: Life) -> list[Life]:
        """Return those of the same wallet that may be in the same block: their nonces are near."""
        chain_id, wallet, nonce = _key(life)
        found = self._run(
            "select life from lives where chain_id = ? and wallet = ? and nonce between ? and ?",
            (chain_id, wallet, nonce - NEAR, nonce + NEAR),
        )
        return [msgspec.json.decode(content, type=Life) for (content,) in found]

    def used(self, chain_id: int, wallet: str, *, at_least: int) -> set[int]:
        """Return the nonces that are used or kept, from one on."""
        found = self._run(
            "select nonce from lives where chain_id = ? and wallet = ? and nonce >= ?",
            (chain_id, wallet, at_least),
        )
        return {nonce for (nonce,) in found}

    def _engine_of(self, client_order_id: str) -> str | None:
        """Return whose plan it is, None if it was never handed over."""
        handed = self.handed(plans_id(client_order_id))
        return None if handed is None else handed.engine

    def _foresee(self, client_order_id: str, foreseen: Foreseen) -> None:
        self._run(
            "insert or replace into foreseen values (?, ?)",
            (client_order_id, msgspec.json.encode(foreseen)),
        )

    def newest_foreseen(self, most: int) -> list[tuple[Handed, Foreseen]]:
        """Return the newest plans of which something was foreseen, sent or not, newest first."""
        found = self._run(
            "select h.handed, l.life, f.foreseen from handed h"
            " left join lives l using (client_order_id)"
            " left join foreseen f using (client_order_id)"
            " where h.handed is not null and (l.life is not null or f.foreseen is not null)"
            " order by json_extract(h.handed, '$.at_ns') desc limit ?",
            (most,),
        )
        plans = []
        for handed, life, kept in found:
            if kept is not None:
                foreseen: Foreseen | None = msgspec.json.decode(kept, type=Foreseen)
            else:
                foreseen = msgspec.json.decode(life, type=Life).foreseen
            if foreseen is not None:
                plans.append((msgspec.json.decode(handed, type=Handed), foreseen))
        return plans


def _key(life: Life) -> tuple[int, str, int]:
    return life.chain_id, life.wallet, life.nonce
