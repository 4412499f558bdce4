"""Approvals and mandates through engine and ledger: what is told, kept, carried out, and void."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.signs import give_signs
from engine.bus.command import seal
from engine.bus.notices import ApprovalAsked, ApprovalEnded, MandateEnded, Notice, PaperTraded
from engine.bus.permit_reports import ApprovalsReport, MandatesReport, WaitingReport
from engine.bus.records import Record
from engine.bus.reports import Acknowledged, Declined, ExportReport, StatusReport
from engine.domain.approvals import ApprovalAct, ApprovalState
from engine.domain.errors import TransientError
from engine.domain.mandates import Scope, ScopeKind
from engine.domain.modes import Mode
from engine.domain.permits import shown_digest
from engine.domain.plans import digest_of_plan
from engine.facade.client import BusFacade
from engine.operate.outbox import Outbox
from engine.requests.approvals import (
    AnswerApproval,
    GetApprovals,
    GetMandates,
    GetWaiting,
    GrantMandate,
    RevokeMandate,
)
from engine.requests.chat import DoneNotices
from engine.requests.money import GetExport
from engine.requests.overview import GetStatus
from engine.requests.presence import ChatSees, PromptShown
from engine.requests.safety import SetMode
from engine.settings.schema import ApprovalsSettings, MarketsSettings, Settings
from engine.wiring.one_process import open_roles
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared

pytestmark = pytest.mark.slow

SETTINGS = Settings(
    markets=MarketsSettings(sandbox_speed=2.0),
    approvals=ApprovalsSettings(wait_s=3_600, blind_s=3_600),
)
ME = "telegram:4242"


@pytest.fixture
async def facade(tmp_path: Path) -> AsyncIterator[BusFacade]:
    async with open_roles(SETTINGS, prepared(tmp_path)) as facade:
        await approve_mode(facade)
        yield facade


async def approve_mode(facade: BusFacade) -> None:
    wanted = SetMode(mode=Mode.APPROVE, is_confirmed=True)
    done = await insist(facade, seal(wanted, by=ME, at_ns=time.time_ns()))
    assert isinstance(done, Acknowledged)


async def told(facade: BusFacade, *kinds: type[Notice]) -> Notice:
    async with asyncio.timeout(PATIENCE_S):
        async for stamped in facade.notices(reader="test"):
            await insist(facade, DoneNotices(reader="test", seq=stamped.seq))
            if isinstance(stamped.notice, kinds):
                return stamped.notice
    raise AssertionError("the stream ended")


async def asked(facade: BusFacade) -> ApprovalAsked:
    notice = await told(facade, ApprovalAsked)
    assert isinstance(notice, ApprovalAsked)
    return notice


async def ends(facade: BusFacade, is_it: Callable[[ApprovalEnded], bool]) -> ApprovalEnded:
    """Wait for one end among those that others come to."""
    while True:
        ended = await told(facade, ApprovalEnded)
        assert isinstance(ended, ApprovalEnded)
        if is_it(ended):
            return ended


async def end_of(facade: BusFacade, notice: ApprovalAsked) -> ApprovalEnded:
    """Wait for the end of what was asked."""
    name = notice.approval.approval_id
    return await ends(facade, lambda one: one.approval.approval_id == name)


async def say(
    facade: BusFacade, nonce: str, act: ApprovalAct = ApprovalAct.APPROVE, *, by: str = ME
) -> Acknowledged | Declined:
    answer = AnswerApproval(nonce=nonce, said=act)
    reply = await insist(facade, seal(answer, by=by, at_ns=time.time_ns()))
    assert isinstance(reply, (Acknowledged, Declined))
    return reply


async def executed(facade: BusFacade) -> ApprovalEnded:
    """Approve what is asked until one is carried out: the market may leave the others."""
    while True:
        notice = await asked(facade)
        await say(facade, notice.nonce)
        ended = await end_of(facade, notice)
        if ended.end.state is ApprovalState.EXECUTED:
            return ended


async def test_a_plan_is_approved_carried_out_within_its_terms_and_kept(facade: BusFacade) -> None:
    ended = await executed(facade)
    traded = await told(facade, PaperTraded)

    assert isinstance(traded, PaperTraded)
    assert traded.approval is not None
    assert traded.approval.approval_id == ended.approval.approval_id
    assert digest_of_plan(ended.approval.plan) == ended.approval.digest
    assert ended.end.by == ME

    kept = await insist(facade, GetExport(table="approvals"))
    audit = await insist(facade, GetExport(table="audit"))
    waiting = await insist(facade, GetWaiting(days=1))
    assert isinstance(kept, ExportReport)
    assert isinstance(audit, ExportReport)
    assert isinstance(waiting, WaitingReport)
    assert ended.approval.digest.encode() in kept.content
    line = f"approve {ended.approval.approval_id} terms {shown_digest(ended.approval.digest)}"
    assert line.encode() in audit.content
    (done,) = (one for one in waiting.lines if one.state is ApprovalState.EXECUTED)
    assert done.count == 1
    assert done.realised_usd == traded.profit_usd


async def test_taps_at_once_by_two_people_carry_one_plan_out(facade: BusFacade) -> None:
    while True:
        notice = await asked(facade)
        replies = await asyncio.gather(
            *(say(facade, notice.nonce, by=by) for by in (ME, "telegram:7", ME))
        )
        ended = await end_of(facade, notice)
        assert sum(isinstance(reply, Acknowledged) for reply in replies) <= 1
        if ended.end.state is ApprovalState.EXECUTED:
            break
    assert sum(isinstance(reply, Acknowledged) for reply in replies) == 1
    again = await say(facade, notice.nonce)
    assert isinstance(again, Declined)
    assert "approved already" in again.why
    gone = await say(facade, "0" * 12)
    assert isinstance(gone, Declined)


async def test_what_is_rejected_or_halved_is_not_carried_out(facade: BusFacade) -> None:
    notice = await asked(facade)
    assert isinstance(await say(facade, notice.nonce, ApprovalAct.REJECT), Acknowledged)
    report = await insist(facade, GetApprovals())
    assert isinstance(report, ApprovalsReport)
    assert notice.approval.approval_id not in {one.approval.approval_id for one in report.waiting}
    assert report.ended[0].state is ApprovalState.REJECTED
    assert isinstance(await say(facade, notice.nonce), Declined)


async def test_a_mandate_is_granted_in_two_steps_spent_and_revoked(facade: BusFacade) -> None:
    wanted = GrantMandate(
        scope=Scope(kind=ScopeKind.ANY),
        each_usd_max=Decimal(100_000),
        total_usd_max=Decimal(100_000),
        edge_bps_min=Decimal(0),
        lasts_s=3_600,
    )
    first = await insist(facade, seal(wanted, by=ME, at_ns=time.time_ns()))
    assert isinstance(first, Declined)
    assert first.needs_confirmation
    confirmed = GrantMandate(
        scope=wanted.scope,
        each_usd_max=wanted.each_usd_max,
        total_usd_max=wanted.total_usd_max,
        edge_bps_min=wanted.edge_bps_min,
        lasts_s=wanted.lasts_s,
        is_confirmed=True,
    )
    granted = await insist(facade, seal(confirmed, by=ME, at_ns=time.time_ns()))
    assert isinstance(granted, Acknowledged)

    traded = await told(facade, PaperTraded)
    assert isinstance(traded, PaperTraded)
    assert traded.approval is None
    report = await insist(facade, GetMandates())
    assert isinstance(report, MandatesReport)
    revoked = await insist(facade, seal(RevokeMandate(), by=ME, at_ns=time.time_ns()))
    assert isinstance(revoked, Acknowledged)

    over = await told(facade, MandateEnded)
    assert isinstance(over, MandateEnded)
    assert over.use.plans >= 1
    assert 0 < over.use.spent_usd <= over.use.mandate.total_usd_max
    # A leg may have failed before it was revoked.
    assert (over.use.ended_by == ME) is (over.use.ended == "revoked")
    assert over.use.ended == "revoked" or "leg" in over.use.ended
    none = await insist(facade, GetMandates())
    assert isinstance(none, MandatesReport)
    assert none.open == []


async def test_a_restart_voids_what_waits_and_what_was_granted_and_says_so(tmp_path: Path) -> None:
    paths = prepared(tmp_path)
    async with open_roles(SETTINGS, paths) as facade:
        await approve_mode(facade)
        waiting = await asked(facade)
        wanted = GrantMandate(
            scope=Scope(kind=ScopeKind.VENUE, name="nowhere"),
            each_usd_max=Decimal(10),
            total_usd_max=Decimal(10),
            edge_bps_min=Decimal(0),
            lasts_s=3_600,
            is_confirmed=True,
        )
        granted = await insist(facade, seal(wanted, by=ME, at_ns=time.time_ns()))
        assert isinstance(granted, Acknowledged)

    async with open_roles(SETTINGS, paths) as facade:
        ended = await told(facade, ApprovalEnded)
        assert isinstance(ended, ApprovalEnded)
        while ended.approval.approval_id != waiting.approval.approval_id:
            ended = await told(facade, ApprovalEnded)
            assert isinstance(ended, ApprovalEnded)
        over = await told(facade, MandateEnded)
        late = await say(facade, waiting.nonce)

    assert ended.end.state is ApprovalState.VOID_RESTART
    assert ended.approval == waiting.approval
    assert isinstance(over, MandateEnded)
    assert over.use.ended == "the engine was started again"
    assert isinstance(late, Declined)


async def test_a_prompt_that_no_chat_shows_is_void_and_no_late_tap_revives_it(
    tmp_path: Path,
) -> None:
    soon = replace(SETTINGS, approvals=ApprovalsSettings(wait_s=4, blind_s=3_600))
    async with open_roles(soon, prepared(tmp_path)) as facade:
        await approve_mode(facade)
        first = await ends(facade, lambda one: one.end.state is ApprovalState.UNDELIVERED)
        late = await say(facade, first.nonce)

        over = None
        while over is None or over.end.state is ApprovalState.OUTBID:
            shown = await asked(facade)
            await insist(facade, PromptShown(nonce=shown.nonce))
            over = await end_of(facade, shown)

    assert first.end.at_ns - first.approval.asked_at_ns >= 2 * 10**9
    assert isinstance(late, Declined)
    assert "did not reach you in time" in late.why
    assert over.end.state is ApprovalState.EXPIRED


async def test_without_a_sign_of_a_chat_what_waits_is_void_and_with_one_it_is_asked_again(
    tmp_path: Path,
) -> None:
    soon = replace(SETTINGS, approvals=ApprovalsSettings(wait_s=3_600, blind_s=5))
    async with open_roles(soon, prepared(tmp_path)) as facade:
        await approve_mode(facade)
        signs = asyncio.create_task(give_signs(facade, lambda: 0.0, every_s=0.5))
        await asked(facade)
        signs.cancel()
        void = await ends(facade, lambda one: one.end.state is ApprovalState.VOID_BLIND)
        status = await insist(facade, GetStatus())
        await insist(facade, ChatSees(silent_s=6))  # it is there, and blind
        still = await insist(facade, GetStatus())
        await insist(facade, ChatSees(silent_s=0.5))
        again = await asked(facade)
        while again.approval.asked_at_ns <= void.end.at_ns:
            again = await asked(facade)

    assert isinstance(status, StatusReport)
    assert isinstance(still, StatusReport)
    assert (status.is_chat_blind, still.is_chat_blind) == (True, True)


async def test_a_word_that_could_not_be_stored_carries_nothing_out(
    facade: BusFacade, monkeypatch: pytest.MonkeyPatch
) -> None:
    notice = await asked(facade)
    real_append = Outbox._append
    is_away = True

    async def append(outbox: Outbox, batch: list[Record]) -> None:
        if is_away:
            raise TransientError("away")
        await real_append(outbox, batch)

    monkeypatch.setattr(Outbox, "_append", append)
    reply = await say(facade, notice.nonce)
    report = await insist(facade, GetApprovals())
    is_away = False
    async with asyncio.timeout(PATIENCE_S):
        while b": taken back" not in (await insist(facade, GetExport(table="audit"))).content:  # type: ignore[union-attr]
            await asyncio.sleep(0.05)

    assert isinstance(reply, Declined)
    assert isinstance(report, ApprovalsReport)
    assert notice.nonce in {one.nonce for one in report.waiting}
    assert all(end.state is not ApprovalState.EXECUTED for end in report.ended)
