"""Orders that were signed, for ever: an id names one order, and a leg's size is signed once.

In the signer's own file, see `journal.py`: what is written survives the end of the process at once.
Numbers of keys are reserved with a sync, as caps are, so that the loss of power brings none again.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from engine.domain.orders import Purpose
from engine.signing.journal import Journal

SCHEMA = """
create table if not exists placed (
  engine text not null, client_order_id text not null, digest blob not null, plan blob not null,
  leg integer not null, purpose text not null, size text not null, at_ms integer not null,
  primary key (engine, client_order_id)
) without rowid;
create index if not exists placed_of_plan on placed (plan, leg, purpose);
create table if not exists venue_nonces (key text primary key, reserved integer not null)
  without rowid;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedOrder:
    """An order that was signed.

    Attributes:
        digest: of the call, the plan and the leg.
        plan: digest of the plan, as bytes.
        leg, purpose, size: what of the plan it is.
        at_ms: when it was signed first, since the epoch.
    """

    engine: str
    client_order_id: str
    digest: bytes
    plan: bytes
    leg: int
    purpose: Purpose
    size: Decimal
    at_ms: int


class _RehearsedError(Exception):
    """Takes back what was only gone through."""


class VenueJournal:
    """The part of an installation's file that is about venues."""

    def __init__(self, journal: Journal) -> None:
        """Make its tables at the first start.

        Raises:
            FatalError: it cannot be used.
        """
        self._journal = journal
        journal.make(SCHEMA)

    def digest_of(self, engine: str, client_order_id: str) -> bytes | None:
        """Return by what the order that was signed under an id is known; None for no order."""
        found = self._journal.run(
            "select digest from placed where engine = ? and client_order_id = ?",
            (engine, client_order_id),
        )
        return found[0][0] if found else None

    def of_leg(self, plan: bytes, leg: int, purpose: Purpose) -> tuple[int, Decimal]:
        """Return how many orders were signed for a leg of a plan, and their size together."""
        found = self._journal.run(
            "select size from placed where plan = ? and leg = ? and purpose = ?",
            (plan, leg, purpose.value),
        )
        return len(found), sum((Decimal(size) for (size,) in found), start=Decimal(0))

    def began_ms(self, plan: bytes) -> int | None:
        """Return when the first order of a plan was signed; None if none was."""
        found = self._journal.run("select min(at_ms) from placed where plan = ?", (plan,))
        return found[0][0]  # type: ignore[no-any-return]

    def add(self, orders: Sequence[PlacedOrder], charges: Mapping[str, int], day: int) -> None:
        """Keep orders and what they count for, all or nothing.

        Returns once no end of this process can lose one.

        Raises:
            FatalError: they cannot be written, or one of their ids has an order already.
        """
        with self._journal.together():
            self._insert(orders, charges, day)

    def rehearse(self, orders: Sequence[PlacedOrder], charges: Mapping[str, int], day: int) -> None:
        """Go through keeping orders; nothing of it stays."""
        with contextlib.suppress(_RehearsedError), self._journal.together():
            self._insert(orders, charges, day)
            raise _RehearsedError

    def _insert(self, orders: Sequence[PlacedOrder], charges: Mapping[str, int], day: int) -> None:
        for order in orders:
            self._journal.run(
                "insert into placed values (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(order.engine, order.client_order_id, order.digest, order.plan, order.leg),
                    *(order.purpose.value, str(order.size), order.at_ms),
                ),
            )
        self._journal.charge(day, charges)

    def nonces(self) -> dict[str, int]:
        """Return up to where the numbers of keys are reserved."""
        return dict(self._journal.run("select key, reserved from venue_nonces"))

    def reserve_nonces(self, up_to: Mapping[str, int], *, is_durable: bool) -> None:
        """Reserve numbers; returns once no end of this process can lose it.

        Raises:
            FatalError: it cannot be written; or, where it is to be durable, the loss of power could
                lose it.
        """
        with self._journal.durably() if is_durable else self._journal.together():
            for key, number in up_to.items():
                self._journal.run(
                    "insert or replace into venue_nonces values (?, ?)", (key, number)
                )
