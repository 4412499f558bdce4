"""Our own table of orders, on disk before anything of it leaves this machine.

What was handed over, what is known of each and what was told of it stand or fall together: see
`storage.durable_file`. An order that is in it may have been placed, whatever a crash left of the
rest; so it is placed by nobody a second time, but looked up until what became of it is proven.
"""

import contextlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.errors import BadValueError
from engine.domain.instruments import VenueId
from engine.domain.orders_handed import HandedOrder
from engine.domain.orders_told import OrderFate, OrderNews
from engine.storage.durable_file import LOG_BYTES, Boundary, DurableFile, go_on
from engine.trading.handed_orders import check_handed, is_same_order
from engine.trading.kept import KeptOrder, absent, taken_on, turned
from engine.trading.marks import VenueMark, added, negative
from engine.trading.pruning import prune

TOLD_MAX: Final = 500
"""Of what is told in one answer."""

_SCHEMA: Final = """
create table if not exists handed (
  client_order_id text primary key, venue text not null, engine text not null,
  wire_id text not null, at_ns integer not null, handed blob, why text not null
) without rowid;
create index if not exists handed_wire on handed (venue, wire_id);
create index if not exists handed_at on handed (at_ns);
create table if not exists kept (
  client_order_id text primary key, venue text not null, is_open integer not null,
  venue_order_id text not null, ended_at_ms integer not null, kept blob not null
) without rowid;
create index if not exists open_orders on kept (venue) where is_open;
drop index if exists kept_id;
create index if not exists kept_known on kept (venue, venue_order_id) where venue_order_id <> '';
create table if not exists tellings (
  number integer primary key autoincrement, client_order_id text not null, venue text not null,
  engine text not null, news blob not null, is_acknowledged integer not null default 0
);
create index if not exists tellings_of on tellings (client_order_id);
create index if not exists tellings_at on tellings (venue, number);
create index if not exists untold on tellings (engine, number) where not is_acknowledged;
create table if not exists marks (venue text primary key, mark blob not null) without rowid;
"""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What was told, with its number; numbers only grow."""

    number: int
    news: OrderNews


class _RehearsedError(Exception):
    """Takes back what was only gone through."""


class OrderBook:
    """The file; see the module.

    Attributes:
        file: in which other tables may stand that have to agree with this one.
    """

    def __init__(self, path: Path, *, crash: Boundary = go_on) -> None:
        """Open it, or make it at the first start.

        Raises:
            TransientError: another process has it open.
            FatalError: it cannot be used.
        """
        self._file = DurableFile(
            path, _SCHEMA, what="the table of orders", then="no order is placed"
        )
        self.file: Final = self._file
        self._run, self._together = self._file.run, self._file.together
        self._crash = crash

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def allocate(self, log_bytes: int = LOG_BYTES) -> None:
        """Give the log its room on disk ahead; see `DurableFile.allocate`."""
        self._file.allocate(log_bytes)

    # ---- handed over

    def hand_over(
        self, orders: Sequence[HandedOrder], why_not: Mapping[str, str]
    ) -> tuple[list[HandedOrder], dict[str, str]]:
        """Take orders on, each once, all in one step.

        Args:
            orders: that are to be placed.
            why_not: by id why one is not placed, of those that are not.

        Returns:
            Those that are to be placed now, and by id why others never are.

        Raises:
            BadValueError: another one has the id of one of them, or its request another's; none is
                taken on.
        """
        for one in orders:
            check_handed(one)
        taken, refused = [], {}
        self._crash("before taking on")
        with self._together():
            for one in orders:
                why = self._take_on(one, why_not.get(one.client_order_id, ""))
                if why:
                    refused[one.client_order_id] = why
                elif why is not None:
                    taken.append(one)
        self._crash("taken on")
        return taken, refused

    def rehearse(self, orders: Sequence[HandedOrder]) -> None:
        """Go through taking orders on; nothing of it stays."""
        with contextlib.suppress(_RehearsedError, BadValueError), self._together():
            for one in orders:
                check_handed(one)
                self._take_on(one, "")
            raise _RehearsedError

    def _take_on(self, one: HandedOrder, why_not: str) -> str | None:
        """Return why it never is placed, nothing if it is; None if it was taken on before."""
        if not self._insert(one.client_order_id, one.venue, one.engine, why_not, handed=one):
            ((stored, why),) = self._run(
                "select handed, why from handed where client_order_id = ?", (one.client_order_id,)
            )
            if stored is not None and not is_same_order(
                msgspec.json.decode(stored, type=HandedOrder), one
            ):
                raise BadValueError(f"{one.client_order_id} was handed over as another order")
            return str(why) or None
        kept = taken_on(one)
        if why_not:
            kept = absent(kept, one, OrderFate.NEVER, why_not)
        self._put(one, kept)
        return why_not

    def fence(self, client_order_id: str, venue: VenueId, engine: str, why: str) -> bool:
        """Say whether an order was ever handed over; if not, it never will be, and is told so."""
        self._crash("before fencing")
        with self._together():
            found = self._run(
                "select handed from handed where client_order_id = ?", (client_order_id,)
            )
            if not found:
                self._insert(client_order_id, venue, engine, why, handed=None)
                self._tell(
                    OrderNews(
                        client_order_id=client_order_id,
                        venue=venue,
                        version=1,
                        fate=OrderFate.NEVER,
                        why=why,
                    ),
                    engine,
                )
        self._crash("fenced")
        return bool(found) and found[0][0] is not None

    def knows_any(self, client_order_ids: Sequence[str]) -> bool:
        """Say whether anything is known of one of these ids: handed over, or fenced off."""
        marks = ", ".join("?" * len(client_order_ids))
        return bool(
            self._run(
                f"select 1 from handed where client_order_id in ({marks}) limit 1",  # noqa: S608
                tuple(client_order_ids),
            )
        )

    def handed(self, client_order_id: str) -> HandedOrder | None:
        """Return what was handed over under an id, None if nothing was."""
        found = self._run("select handed from handed where client_order_id = ?", (client_order_id,))
        if not found or found[0][0] is None:
            return None
        return msgspec.json.decode(found[0][0], type=HandedOrder)

    def find(self, venue: VenueId, *, wire_id: str, venue_order_id: str) -> str | None:
        """Return our own id of an order by what its venue calls it; None if it is none of ours."""
        found = self._run(
            "select client_order_id from handed where venue = ? and wire_id = ? and wire_id <> ''"
            " union all select client_order_id from kept"
            " where venue = ? and venue_order_id = ? and venue_order_id <> '' limit 1",
            (venue, wire_id, venue, venue_order_id),
        )
        return str(found[0][0]) if found else None

    def count(self) -> int:
        """Return how many orders were ever handed over."""
        ((found,),) = self._run("select count(*) from handed where wire_id <> ''")
        return int(found)

    def newest(self, most: int) -> list[HandedOrder]:
        """Return orders that were handed over last, newest first."""
        found = self._run(
            "select handed from handed where handed is not null order by at_ns desc limit ?",
            (most,),
        )
        return [msgspec.json.decode(content, type=HandedOrder) for (content,) in found]

    # ---- what is known

    def kept(self, client_order_id: str) -> KeptOrder | None:
        """Return what is known of an order, None if it was never taken on."""
        found = self._run("select kept from kept where client_order_id = ?", (client_order_id,))
        return msgspec.json.decode(found[0][0], type=KeptOrder) if found else None

    def open_orders(self, venue: VenueId) -> list[tuple[HandedOrder, KeptOrder]]:
        """Return all of which something is still asked, oldest first."""
        return self._both("k.venue = ? and k.is_open", (venue,))

    def ended_since(self, venue: VenueId, since_ms: int) -> list[tuple[HandedOrder, KeptOrder]]:
        """Return those that ended since an instant (wall clock), and were not there for nothing."""
        where = "k.venue = ? and not k.is_open and k.ended_at_ms >= ?"
        return self._both(where, (venue, since_ms))

    def keep(
        self, handed: HandedOrder, before: KeptOrder, now: KeptOrder, *, now_ms: int = 0
    ) -> None:
        """Keep what is known of an order now, with what is told of it and what that turned.

        Args:
            handed: the order.
            before: what was kept of it.
            now: what is known now; it is told if its news are other ones.
            now_ms: the wall clock, for one that ends.
        """
        if now == before:
            return
        self._crash("before keeping")
        with self._together():
            self._put(handed, now, told=before.news, ended_at_ms=0 if now.is_open else now_ms)
            if now.standing != before.standing:
                mark = self.mark(handed.venue)
                change = added(
                    turned(handed, now.standing), negative(turned(handed, before.standing))
                )
                self._keep_mark(
                    handed.venue,
                    msgspec.structs.replace(mark, turned=added(mark.turned, change)),
                )
        self._crash("kept")

    # ---- what was told

    def untold(self, engine: str, number: int) -> list[Told]:
        """Return what was told of an engine's orders after a number, and is not acknowledged.

        At most `TOLD_MAX`, oldest first.
        """
        found = self._run(
            "select number, news from tellings"
            " where engine = ? and number > ? and not is_acknowledged order by number limit ?",
            (engine, number, TOLD_MAX),
        )
        return [_told(row) for row in found]

    def acknowledge(self, numbers: Sequence[int]) -> None:
        """Keep that these are booked for good."""
        with self._together():
            for number in numbers:
                self._run("update tellings set is_acknowledged = 1 where number = ?", (number,))

    def told_of(self, client_order_id: str) -> Told | None:
        """Return what was told last of an order, None if nothing was."""
        found = self._run(
            "select number, news from tellings where client_order_id = ?"
            " order by number desc limit 1",
            (client_order_id,),
        )
        return _told(found[0]) if found else None

    def newest_number(self, venue: VenueId | None = None) -> int:
        """Return the number of what was told last, of orders at a venue if one is named."""
        where, values = ("", ()) if venue is None else ("where venue = ?", (venue,))
        ((newest,),) = self._run(f"select max(number) from tellings {where}", values)  # noqa: S608
        return newest or 0

    # ---- the account as a whole

    def mark(self, venue: VenueId) -> VenueMark:
        """Return what is known of an account."""
        found = self._run("select mark from marks where venue = ?", (venue,))
        return msgspec.json.decode(found[0][0], type=VenueMark) if found else VenueMark()

    def keep_mark(self, venue: VenueId, mark: VenueMark) -> None:
        """Keep what is known of an account; what fills and transfers did is the table's own."""
        self._crash("before marking")
        with self._together():
            here = self.mark(venue)
            own = msgspec.structs.replace(mark, turned=here.turned, moved=here.moved)
            self._keep_mark(venue, own)
        self._crash("marked")

    def move(self, venue: VenueId, asset: AssetCode, amount: Decimal) -> None:
        """Keep that a transfer moved something in or out, within a change of the file."""
        mark = self.mark(venue)
        moved = added(mark.moved, {asset: amount})
        self._keep_mark(venue, msgspec.structs.replace(mark, moved=moved))

    # ---- while nothing waits

    def tidy(self) -> None:
        """Move the file's log to its places if it is long."""
        self._file.tidy()

    def prune(self, now_ms: int) -> int:
        """Let go of some of what need not be kept, by the wall clock; return how much went."""
        marks = self._run("select venue, mark from marks")
        since_ms = {
            VenueId(venue): msgspec.json.decode(mark, type=VenueMark).since_ms
            for venue, mark in marks
        }
        return prune(self._file, since_ms, now_ms=now_ms)

    def _keep_mark(self, venue: VenueId, mark: VenueMark) -> None:
        content = msgspec.json.encode(mark)
        self._run("insert or replace into marks values (?, ?)", (venue, content))

    def _insert(
        self,
        client_order_id: str,
        venue: VenueId,
        engine: str,
        why: str,
        *,
        handed: HandedOrder | None,
    ) -> bool:
        """Keep what was handed over under an id, or fenced off; return whether nothing was yet."""
        content = None if handed is None else msgspec.json.encode(handed)
        wire_id = "" if handed is None else handed.request.wire_id
        at_ns = 0 if handed is None else handed.at_ns
        return bool(
            self._run(
                "insert into handed values (?, ?, ?, ?, ?, ?, ?)"
                " on conflict do nothing returning 1",
                (client_order_id, venue, engine, wire_id, at_ns, content, why),
            )
        )

    def _put(
        self,
        handed: HandedOrder,
        kept: KeptOrder,
        *,
        told: OrderNews | None = None,
        ended_at_ms: int = 0,
    ) -> None:
        venue_order_id = "" if kept.news is None else kept.news.venue_order_id
        self._run(
            "insert or replace into kept values (?, ?, ?, ?, ?, ?)",
            (
                handed.client_order_id,
                handed.venue,
                int(kept.is_open),
                venue_order_id,
                ended_at_ms,
                msgspec.json.encode(kept),
            ),
        )
        if kept.news is not None and kept.news != told:
            self._tell(kept.news, handed.engine)

    def _tell(self, news: OrderNews, engine: str) -> None:
        self._run(
            "insert into tellings (client_order_id, venue, engine, news) values (?, ?, ?, ?)",
            (news.client_order_id, news.venue, engine, msgspec.json.encode(news)),
        )

    def _both(self, where: str, values: tuple[object, ...]) -> list[tuple[HandedOrder, KeptOrder]]:
        found = self._run(
            "select h.handed, k.kept from kept k join handed h using (client_order_id)"  # noqa: S608
            f" where {where} order by h.at_ns, h.client_order_id",
            values,
        )
        return [
            (
                msgspec.json.decode(handed, type=HandedOrder),
                msgspec.json.decode(kept, type=KeptOrder),
            )
            for handed, kept in found
        ]


def _told(row: tuple[int, bytes]) -> Told:
    return Told(number=row[0], news=msgspec.json.decode(row[1], type=OrderNews))
