"""The audit is a chain: whatever is changed, left out, put in or cut off by hand is found."""

import json
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import Row, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from engine.bus.notices import AuditGap
from engine.bus.records import (
    ApprovalEndRecord,
    ApprovalRecord,
    EngineState,
    KeyActRecord,
    LatchAct,
    LatchRecord,
    LoadState,
    MandateRecord,
)
from engine.bus.reports import AuditReport, ExportReport
from engine.domain.approvals import ApprovalEnd, ApprovalState
from engine.domain.errors import TransientError
from engine.domain.mandates import Mandate, MandateUse, Scope, ScopeKind
from engine.domain.modes import Basis
from engine.requests.audit import GetAudit
from engine.requests.money import GetExport
from engine.storage.audit import Head, canonical, link_hash
from engine.storage.audit_check import check_closed
from engine.storage.audit_head import HeadFile
from engine.storage.ledger import LedgerSettings, open_ledger
from engine.storage.migrate import migrate
from engine.storage.opening import open_writer
from engine.storage.tables.acts import audit
from tests.bot import samples
from tests.storage import makers
from tests.storage.asking import append, ask, notices
from tests.storage.conftest import Clock

ACTS = 6
"""Acts of `fill`: two states, a kill, a wrong code, an unkill with a code, a state."""


PUT_IN = (
    "INSERT INTO operator_state (record_id, at_ns, mode, is_paused, by, action, digest)"
    " VALUES ('x', 1, 'paper', false, 'me', 'mode', '')"
)


async def fill(settings: LedgerSettings, clock: Clock) -> None:
    """Store acts of each kind, one of them twice."""
    acts = [
        LatchRecord(
            record_id=f"l{number}", at_ns=makers.NOW_NS, act=act, by="me", why="ü", code_step=step
        )
        for number, (act, step) in enumerate(
            ((LatchAct.KILL, None), (LatchAct.WRONG_CODE, None), (LatchAct.UNKILL, 7))
        )
    ]
    states = [makers.make_state_record(number=number) for number in (1, 2, 3)]
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, states[0], states[0])
        await append(ledger, states[1], *acts)
        await append(ledger, states[2])


async def by_hand(settings: LedgerSettings, *statements: str) -> None:
    """Do what somebody with the database in his hands can do."""
    async with open_writer(settings) as writer:
        is_sqlite = writer.database.is_sqlite

        async def work(connection: AsyncConnection) -> None:
            for table in ("audit", "operator_state"):
                if not is_sqlite:
                    await connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
                    continue
                for change in ("update", "delete"):
                    name = f"keep_{table}_{change}"
                    await connection.execute(text(f"DROP TRIGGER IF EXISTS {name}"))
            for statement in statements:
                await connection.exec_driver_sql(statement)

        await writer.transact(work)


async def checked(settings: LedgerSettings, *, looked_for: str | None = None) -> AuditReport:
    return await check_closed(settings, looked_for=looked_for)


async def test_every_act_has_its_link_and_the_chain_is_whole(
    settings: LedgerSettings, clock: Clock
) -> None:
    await fill(settings, clock)

    report = await checked(settings)

    assert (report.broken, report.links) == ("", 1 + ACTS)
    async with open_ledger(settings, clock=clock) as ledger:
        shown = await ask(ledger, GetAudit(limit=3), AuditReport)
        export = await ask(ledger, GetExport(table="audit", days=1), ExportReport)
    assert shown.broken == ""
    assert [line.action for line in shown.lines] == ["mode", "unkill: ü", "wrong code: ü"]
    assert shown.newest == shown.lines[0].hash == report.newest
    header, *rows = export.content.decode().splitlines()
    assert header.endswith("position,prev_hash,hash")
    assert rows[-1].endswith(report.newest)
    assert len(rows) == ACTS


async def test_that_another_key_was_asked_for_is_a_link_of_the_chain(
    settings: LedgerSettings, clock: Clock
) -> None:
    key = KeyActRecord(record_id="k1", at_ns=makers.NOW_NS, by="me", venue="v", action="asked")
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, key, key)
        shown = await ask(ledger, GetAudit(limit=3), AuditReport)

    assert [line.action for line in shown.lines][:1] == ["asked"]
    assert (shown.broken, shown.links) == ("", 2)


@pytest.mark.parametrize(
    ("statements", "found"),
    [
        (["UPDATE audit SET content = '{}' WHERE position = 3"], "link 3"),
        (["UPDATE audit SET at_ns = at_ns + 1 WHERE position = 3"], "link 3"),
        (["UPDATE audit SET prev_hash = 'a' WHERE position = 3"], "link 3"),
        (["DELETE FROM audit WHERE position = 4"], "link 4 is missing"),
        (["DELETE FROM audit WHERE position = 1"], "link 1 is missing"),
        (["DELETE FROM audit WHERE position >= 6"], "link 7 was there and is not any more"),
        (
            [
                "DELETE FROM audit WHERE position >= 6",
                "DELETE FROM operator_state WHERE record_id IN ('l2', 'state-3')",
            ],
            "link 7 was there and is not any more",
        ),
        (["UPDATE operator_state SET by = 'nobody' WHERE record_id = 'l0'"], "by changed"),
        (["UPDATE operator_state SET code_step = 8 WHERE record_id = 'l2'"], "code_step changed"),
        (["DELETE FROM operator_state WHERE record_id = 'state-3'"], "(state-3) is missing"),
        (
            [PUT_IN],
            "the act x has no link",
        ),
    ],
)
async def test_what_is_done_by_hand_is_found(
    sqlite_settings: LedgerSettings, clock: Clock, statements: list[str], found: str
) -> None:
    await fill(sqlite_settings, clock)
    assert (await checked(sqlite_settings)).broken == ""

    await by_hand(sqlite_settings, *statements)

    assert found in (await checked(sqlite_settings)).broken


async def test_the_database_itself_refuses_to_change_the_chain(
    settings: LedgerSettings, clock: Clock
) -> None:
    await fill(settings, clock)
    for statement in ("UPDATE audit SET content = ''", "DELETE FROM audit"):
        async with open_writer(settings) as writer:

            async def work(connection: AsyncConnection, statement: str = statement) -> None:
                await connection.execute(text(statement))

            with pytest.raises(Exception, match="never changed"):
                await writer.transact(work)


async def test_links_cut_off_are_told_at_the_next_start_and_the_chain_goes_on_from_there(
    settings: LedgerSettings, clock: Clock
) -> None:
    await fill(settings, clock)
    noted = (await checked(settings)).newest
    await by_hand(settings, "DELETE FROM audit WHERE position > 4")
    await by_hand(settings, "DELETE FROM operator_state WHERE record_id IN ('l1', 'l2', 'state-3')")

    for _ in range(2):
        async with open_ledger(settings, clock=clock) as ledger:
            report = await ask(ledger, GetAudit(), AuditReport)
            told = [s.notice for s in (await notices(ledger)).notices]
        assert report.broken == ""
        assert len(report.gaps) == 1, "it is noted once, for good"
        assert "link 7 was there" in report.gaps[0]
        assert sum(isinstance(one, AuditGap) for one in told) == 1
    assert "no link has that hash" in (await checked(settings, looked_for=noted[:12])).broken


async def test_a_file_of_the_newest_link_that_is_missing_or_false_is_told(
    settings: LedgerSettings, clock: Clock
) -> None:
    await fill(settings, clock)
    head = HeadFile(settings.data_dir)
    kept = head.read()
    assert kept is not None
    assert kept.position == 1 + ACTS

    head.path.unlink()
    assert "audit-head, is missing" in (await checked(settings)).broken
    for false in (Head(3, kept.hash), Head(2, "0" * 64)):
        head.write(false)
        assert f"link {false.position} was there" in (await checked(settings)).broken
    head.write(kept)
    assert (await checked(settings)).broken == ""


async def test_a_hash_that_was_noted_is_found_as_long_as_the_chain_is_the_same(
    settings: LedgerSettings, clock: Clock
) -> None:
    await fill(settings, clock)
    noted = (await checked(settings)).newest
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_state_record(number=9))
    for prefix, is_found in ((noted, True), (noted[:12], True), ("f" * 12, False)):
        assert (not (await checked(settings, looked_for=prefix)).broken) == is_found


async def test_what_was_stored_before_there_was_a_chain_is_sealed_by_its_first_link(
    settings: LedgerSettings, clock: Clock
) -> None:
    await fill(settings, clock)
    await migrate("down", settings=settings, to="20261129_chat_states", may_discard=True)
    HeadFile(settings.data_dir).path.unlink()
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, makers.make_state_record(number=9))
    report = await checked(settings)
    assert (report.broken, report.links, report.gaps) == ("", 2, [])

    await by_hand(settings, "UPDATE operator_state SET by = 'nobody' WHERE record_id = 'l0'")

    assert "before the chain began" in (await checked(settings)).broken


async def test_a_link_that_is_written_anew_with_its_act_breaks_the_next_one(
    sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    await fill(sqlite_settings, clock)
    async with open_writer(sqlite_settings) as writer:

        async def load(connection: AsyncConnection) -> Row[Any]:
            return (await connection.execute(select(audit).where(audit.c.position == 4))).one()

        row = await writer.transact(load)
    content = canonical({**json.loads(row.content), "by": "nobody"})
    anew = link_hash(
        row.prev_hash,
        position=row.position,
        kind=row.kind,
        record_id=row.record_id,
        at_ns=row.at_ns,
        content=content,
    )
    await by_hand(
        sqlite_settings,
        f"UPDATE audit SET content = '{content}', hash = '{anew}' WHERE position = 4",  # noqa: S608
        "UPDATE operator_state SET by = 'nobody' WHERE record_id = 'l0'",
    )

    assert "link 5" in (await checked(sqlite_settings)).broken


async def test_what_people_grant_and_answer_is_linked_once(
    settings: LedgerSettings, clock: Clock
) -> None:
    mandate = Mandate(
        mandate_id="M1",
        by="telegram:1",
        scope=Scope(kind=ScopeKind.ANY),
        each_usd_max=Decimal(10),
        total_usd_max=Decimal(50),
        edge_bps_min=Decimal(5),
        granted_at_ns=makers.NOW_NS,
        expires_at_ns=makers.NOW_NS + 1,
    )
    granted = MandateRecord(run_id="r", basis=Basis.SANDBOX, use=MandateUse(mandate=mandate))
    used = replace(granted, use=replace(granted.use, plans=1, spent_usd=Decimal(9)))
    ended = ApprovalEndRecord(
        at_ns=makers.NOW_NS,
        end=ApprovalEnd(
            approval_id="A7",
            state=ApprovalState.REJECTED,
            at_ns=makers.NOW_NS,
            by="telegram:2",
            why="",
        ),
    )
    async with open_ledger(settings, clock=clock) as ledger:
        for record in (granted, granted, used, ended, ended):
            await append(ledger, record)
        report = await ask(ledger, GetAudit(), AuditReport)

    assert report.broken == ""
    assert [(line.by, line.action) for line in report.lines] == [
        ("telegram:2", "A7 rejected"),
        ("telegram:1", "M1 used: 1 plans, 9 USD"),
        ("telegram:1", "M1 granted"),
        ("the ledger", "the audit begins here"),
    ]


async def test_what_a_restart_ends_has_its_link_too_and_cut_off_it_is_missed(
    settings: LedgerSettings, clock: Clock
) -> None:
    approval = samples.approval()
    asked = ApprovalRecord(run_id="r", basis=Basis.SANDBOX, approval=approval)
    use = replace(samples.mandate_use(), ended="", ended_at_ns=0, ended_by="")
    granted = MandateRecord(run_id="r", basis=Basis.SANDBOX, use=use)
    async with open_ledger(settings, clock=clock) as ledger:
        await append(ledger, asked, granted)
        for _ in range(2):  # a second start ends nothing more
            await ask(ledger, LoadState(day_start_ns=0), EngineState)
        report = await ask(ledger, GetAudit(), AuditReport)

    assert report.broken == ""
    assert [(line.by, line.action) for line in report.lines[:2]] == [
        ("the engine", "m1 ended: the engine was started again"),
        ("the engine", "r7-a1 void_restart"),
    ]
    assert report.links == 5
    await by_hand(settings, "DELETE FROM audit WHERE position >= 4")
    assert "was there and is not any more" in (await checked(settings)).broken


async def test_where_there_is_no_audit_yet_nothing_is_called_broken_and_nothing_is_made(
    bare_sqlite_settings: LedgerSettings, clock: Clock
) -> None:
    with pytest.raises(TransientError, match="no ledger"):
        await checked(bare_sqlite_settings)
    assert not bare_sqlite_settings.data_dir.exists()
    await fill(bare_sqlite_settings, clock)
    await migrate("down", settings=bare_sqlite_settings, to="20261129_delayed", may_discard=True)
    with pytest.raises(TransientError, match="make migrate"):
        await checked(bare_sqlite_settings)
