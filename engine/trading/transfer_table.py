"""Our own table of transfers, in the file of orders: on disk before anything of one leaves.

What is known of a transfer and what it does to the books of its venues stand or fall together.
"""

from decimal import Decimal
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.exact import exact_sum
from engine.domain.instruments import VenueId
from engine.storage.durable_file import Boundary, go_on
from engine.trading.book import OrderBook
from engine.trading.transfer_kept import KeptTransfer, booked, swing

_SCHEMA: Final = """
create table if not exists transfers (
  transfer_id text primary key, is_open integer not null, at_ns integer not null,
  ended_ns integer not null, kept blob not null
) without rowid;
create index if not exists open_transfers on transfers (at_ns) where is_open;
create index if not exists transfers_at on transfers (at_ns);
"""

RECENT_NS: Final = 600_000_000_000
"""So long after its end a transfer still explains that a balance is another one."""


Swing = tuple[Decimal, Decimal]
"""Down, and up."""


class TransferTable:
    """See the module."""

    def __init__(self, book: OrderBook, *, crash: Boundary = go_on) -> None:
        """Make its table at the first start.

        Raises:
            FatalError: the file cannot be used.
        """
        self._book = book
        self._crash = crash
        for statement in _SCHEMA.split(";"):
            if statement.strip():
                book.file.run(statement)

    def get(self, transfer_id: str) -> KeptTransfer | None:
        """Return what is known of a transfer; None for none."""
        found = self._book.file.run(
            "select kept from transfers where transfer_id = ?", (transfer_id,)
        )
        return msgspec.json.decode(found[0][0], type=KeptTransfer) if found else None

    def under_way(self) -> list[KeptTransfer]:
        """Return all that have not ended, oldest first."""
        return self._all("select kept from transfers where is_open order by at_ns")

    def newest(self, most: int) -> list[KeptTransfer]:
        """Return those that were taken on last, newest first."""
        return self._all("select kept from transfers order by at_ns desc limit ?", most)

    def recent(self, now_ns: int) -> list[KeptTransfer]:
        """Return those that have not ended, or just have, oldest first."""
        return self._all(
            "select kept from transfers where is_open or ended_ns > ? order by at_ns",
            now_ns - RECENT_NS,
        )

    def keep(self, before: KeptTransfer | None, now: KeptTransfer) -> None:
        """Keep what is known of a transfer, with what it moved, in one step.

        Raises:
            FatalError: it cannot be written: nothing is sent any more.
        """
        self._crash("before keeping a transfer")
        with self._book.file.together():
            self._book.file.run(
                "insert or replace into transfers values (?, ?, ?, ?, ?)",
                (
                    *(now.transfer_id, int(not now.ended_ns), now.taken_on_ns, now.ended_ns),
                    msgspec.json.encode(now),
                ),
            )
            was = {} if before is None else booked(before)
            for venue, amount in booked(now).items():
                moved = exact_sum((amount, was.get(venue, Decimal(0)).copy_negate()))
                if moved:
                    self._book.move(venue, now.asset, moved)
        self._crash("kept a transfer")

    def swings(self, venue: VenueId) -> dict[AssetCode, Swing]:
        """Return by asset how far off what is written a venue's balance may be, down and up."""
        found: dict[AssetCode, Swing] = {}
        for one in self.under_way():
            if venue in (one.source, one.target):
                low, high = swing(one)[venue]
                down, up = found.get(one.asset, (Decimal(0), Decimal(0)))
                found[one.asset] = exact_sum((down, low)), exact_sum((up, high))
        return found

    def moving(self, venue: VenueId, now_ns: int) -> tuple[AssetCode, ...]:
        """Return the assets of which a transfer moves something at a venue, or just has."""
        found = self.recent(now_ns)
        return tuple(sorted({one.asset for one in found if venue in (one.source, one.target)}))

    def _all(self, statement: str, *values: object) -> list[KeptTransfer]:
        found = self._book.file.run(statement, values)
        return [msgspec.json.decode(kept, type=KeptTransfer) for (kept,) in found]
