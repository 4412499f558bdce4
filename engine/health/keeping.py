"""What is kept of health over restarts: changes, incidents, and when it was last looked.

A file of its own beside the ledger's database, as it has to tell of that one's failures. Only
changes are written, so that a quiet day costs next to nothing; what is too old or too many goes.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.health import Health, Incident
from engine.domain.recovery import Tallied
from engine.domain.traffic import Used
from engine.health.history import Changed
from engine.health.tallies import Key, Tallies
from engine.health.uses import Uses
from engine.storage.durable_file import DurableFile

FILE_NAME: Final = "health.sqlite3"
ROWS_MAX: Final = 200_000
"""Changes that are kept whatever their age: some twenty megabytes."""

INCIDENTS_MAX: Final = 5_000
WHY_CHARACTERS_MAX: Final = 300

_SCHEMA: Final = """
create table if not exists changes (
  seq integer primary key, at_ns integer not null, component text not null,
  health text not null, why text not null);
create index if not exists changes_by_time on changes (at_ns);
create table if not exists incidents (
  number integer primary key, opened_at_ns integer not null, ended_at_ns integer not null,
  body blob not null);
create table if not exists tallies (
  role text not null, policy text not null, component text not null,
  total blob not null, seen blob not null, primary key (role, policy, component)) without rowid;
create table if not exists uses (
  day text not null, name text not null, body blob not null, primary key (day, name)) without rowid;
create table if not exists uses_seen (
  role text not null, name text not null, body blob not null,
  primary key (role, name)) without rowid;
create table if not exists marks (name text primary key, value integer not null) without rowid;
"""

_LOOKED: Final = "looked_at_ns"
_CLOSED: Final = "closed_in_order"


class Kept:
    """The file; its end loses nothing, a loss of power what was not yet on the disk."""

    def __init__(self, folder: Path) -> None:
        """Open it, or make it at the first start.

        Raises:
            TransientError: another process has it open.
            FatalError: it cannot be used.
        """
        self._file = DurableFile(
            folder / FILE_NAME,
            _SCHEMA,
            what="the history of health",
            then="how components stood before is not shown",
            is_synced=False,
        )

    def close(self) -> None:
        """Close it in order: what follows was not seen, and was no failure of ours."""
        self._mark(_CLOSED, 1)
        self._file.close()

    def looked(self, at_ns: int) -> None:
        """Note that all was looked at."""
        self._mark(_LOOKED, at_ns)

    def take_mark(self) -> tuple[int, bool]:
        """Return when it was last looked, 0 if never, and whether that ended in order."""
        marks: dict[str, int] = dict(self._file.run("select name, value from marks"))
        self._mark(_CLOSED, 0)
        return marks.get(_LOOKED, 0), bool(marks.get(_CLOSED, 1))

    def change(self, component: str, changed: Changed, incidents: Iterable[Incident] = ()) -> None:
        """Keep a change and what it made of incidents: both, or neither if the process ends."""
        with self._file.together():
            self._file.run(
                "insert into changes (at_ns, component, health, why) values (?, ?, ?, ?)",
                (changed.at_ns, component, changed.health, changed.why[:WHY_CHARACTERS_MAX]),
            )
            for one in incidents:
                self.incident(one)

    def changes(self, *, since_ns: int) -> Iterator[tuple[str, Changed]]:
        """Return changes since an instant, and of each component the last one before, in order."""
        rows = self._file.run(
            "select component, at_ns, health, why from changes where at_ns >= ?1 or seq in"
            " (select max(seq) from changes where at_ns < ?1 group by component) order by seq",
            (since_ns,),
        )
        for component, at_ns, health, why in rows:
            yield component, Changed(at_ns, Health(health), why)

    def incident(self, incident: Incident) -> None:
        """Keep an incident as it is now."""
        self._file.run(
            "insert into incidents (number, opened_at_ns, ended_at_ns, body) values (?, ?, ?, ?)"
            " on conflict (number) do update set opened_at_ns = excluded.opened_at_ns,"
            " ended_at_ns = excluded.ended_at_ns, body = excluded.body",
            (
                incident.number,
                incident.opened_at_ns,
                incident.ended_at_ns,
                msgspec.msgpack.encode(incident),
            ),
        )

    def incidents(self, *, most: int) -> list[Incident]:
        """Return the newest incidents, those that are open first."""
        rows = self._file.run(
            "select body from incidents order by ended_at_ns = 0 desc, number desc limit ?", (most,)
        )
        return [_decoded(body) for (body,) in rows]

    def find_incident(self, number: int) -> Incident | None:
        """Return an incident by its number."""
        rows = self._file.run("select body from incidents where number = ?", (number,))
        return _decoded(rows[0][0]) if rows else None

    def open_incidents(self) -> list[Incident]:
        """Return the incidents that are not over."""
        rows = self._file.run("select body from incidents where ended_at_ns = 0 order by number")
        return [_decoded(body) for (body,) in rows]

    def next_number(self) -> int:
        """Return a number that no incident had."""
        return int(self._file.run("select coalesce(max(number), 0) + 1 from incidents")[0][0])

    def tallies(self) -> Tallies:
        """Return what the roles recovered from so far."""
        totals: dict[Key, Tallied] = {}
        seen: dict[Key, Tallied] = {}
        for role, policy, of, total, last in self._file.run(
            "select role, policy, component, total, seen from tallies"
        ):
            totals[role, policy, of] = msgspec.msgpack.decode(total, type=Tallied)
            seen[role, policy, of] = msgspec.msgpack.decode(last, type=Tallied)
        return Tallies(totals, seen)

    def tallied(self, tallies: Tallies) -> None:
        """Keep what changed of them."""
        for key in tallies.changed:
            self._file.run(
                "insert into tallies (role, policy, component, total, seen) values (?, ?, ?, ?, ?)"
                " on conflict (role, policy, component) do update set total = excluded.total,"
                " seen = excluded.seen",
                (
                    *key,
                    msgspec.msgpack.encode(tallies.totals[key]),
                    msgspec.msgpack.encode(tallies.seen.get(key, tallies.totals[key])),
                ),
            )
        tallies.changed.clear()

    def uses(self) -> Uses:
        """Return what was used so far."""
        decode = msgspec.msgpack.Decoder(Used).decode
        days = self._file.run("select day, name, body from uses")
        seen = self._file.run("select role, name, body from uses_seen")
        return Uses(
            {(day, name): decode(body) for day, name, body in days},
            {
                (role, name): msgspec.structs.replace(decode(body), connections=0)
                for role, name, body in seen
            },
        )

    def used(self, uses: Uses) -> None:
        """Keep what changed of it."""
        if not uses.changed:
            return
        with self._file.together():
            for key in uses.changed:
                self._file.run(
                    "insert into uses (day, name, body) values (?, ?, ?)"
                    " on conflict (day, name) do update set body = excluded.body",
                    (*key, msgspec.msgpack.encode(uses.days[key])),
                )
            for (role, name), one in uses.seen.items():
                self._file.run(
                    "insert into uses_seen (role, name, body) values (?, ?, ?)"
                    " on conflict (role, name) do update set body = excluded.body",
                    (role, name, msgspec.msgpack.encode(one)),
                )
        uses.changed.clear()

    def forget_days(self, days: list[str]) -> None:
        """Delete what was used on old days."""
        for day in days:
            self._file.run("delete from uses where day = ?", (day,))

    def prune(self, *, old_at_ns: int) -> None:
        """Delete changes and ended incidents from before an instant, and those that are too many.

        Of each component the newest change stays: how it stands is known for good.
        """
        self._file.run(
            "delete from changes where seq not in (select max(seq) from changes group by component)"
            " and (at_ns < ? or seq <= (select max(seq) from changes) - ?)",
            (old_at_ns, ROWS_MAX),
        )
        self._file.run(
            "delete from incidents where ended_at_ns > 0 and (ended_at_ns < ?"
            " or number <= (select max(number) from incidents) - ?)",
            (old_at_ns, INCIDENTS_MAX),
        )
        self._file.tidy()

    def _mark(self, name: str, value: int) -> None:
        self._file.run(
            "insert into marks (name, value) values (?, ?)"
            " on conflict (name) do update set value = excluded.value",
            (name, value),
        )


def _decoded(body: bytes) -> Incident:
    return msgspec.msgpack.decode(body, type=Incident)
