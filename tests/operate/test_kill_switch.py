import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypedDict

import pyotp
import pytest
from msgspec.structs import replace

from engine.bus.command import Envelope, seal
from engine.bus.memory import MemoryCaller
from engine.bus.notices import Killed, Unkilled
from engine.bus.records import (
    Append,
    EngineState,
    LatchAct,
    LatchRecord,
    LatchState,
    LoadState,
    kill_record,
)
from engine.bus.reports import ExportReport, NoticesReport
from engine.bus.request import Caller, Request
from engine.domain.errors import TransientError
from engine.operate.codes import Codes
from engine.operate.kill_latch import KillLatch
from engine.operate.kill_switch import KillSwitch
from engine.operate.one_time_code import LOCKED_S, TRIES_MAX, OneTimeCode
from engine.operate.outbox import Outbox
from engine.requests.chat import GetNotices
from engine.requests.money import GetExport
from engine.requests.request_list import requests_of
from engine.requests.safety import Kill, Unkill
from engine.storage.ledger import Ledger, LedgerSettings, open_ledger
from tests.storage.model import put_empty_ledger

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NEW = EngineState(
    mode=None,
    is_paused=False,
    realised_today_usd="0",
    residuals=[],
    generation=1,
    run_id="t0ab3x",
    holdings=[],
    limits={},
)
S = 1_000_000_000
Happening = Callable[[], None]
NOW_NS = 1_700_000_000 * S


class NoLedger:
    """A ledger that is away."""

    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        del request, timeout_s
        raise TransientError("away")


class Meddling:
    """A ledger in front of which something happens whenever an unkill is to be stored."""

    def __init__(self, ledger: Caller, happens: Happening) -> None:
        self._ledger = ledger
        self._happens = happens

    async def call(self, request: Request[Any], /, *, timeout_s: float = 5.0) -> Any:
        records = request.records if isinstance(request, Append) else []
        if any(isinstance(one, LatchRecord) and one.act is LatchAct.UNKILL for one in records):
            self._happens()
        return await self._ledger.call(request, timeout_s=timeout_s)


@pytest.fixture
def latch(tmp_path: Path) -> KillLatch:
    latch = KillLatch(tmp_path)
    latch.create()
    os.utime(latch.path, ns=(100, 100))
    return latch


def make_switch(
    latch: KillLatch,
    clock: Callable[[], int],
    state: EngineState = NEW,
    outbox: Outbox | None = None,
) -> KillSwitch:
    outbox = Outbox(NoLedger()) if outbox is None else outbox
    codes = Codes(OneTimeCode(SECRET, state.codes), outbox, clock)
    return KillSwitch(latch, outbox, clock, state=state, codes=codes)


@asynccontextmanager
async def begun(
    latch: KillLatch, clock: Callable[[], int], *, at_unkill: Happening = lambda: None
) -> AsyncIterator[tuple[KillSwitch, Outbox, Ledger]]:
    """Begin as an engine does, over the ledger of the latch's folder."""
    put_empty_ledger(latch.path.parent)
    async with open_ledger(LedgerSettings(data_dir=latch.path.parent), clock=clock) as ledger:
        state = await ledger.answer(LoadState(day_start_ns=0))
        assert isinstance(state, EngineState)
        outbox = Outbox(Meddling(MemoryCaller(requests_of("ledger"), ledger), at_unkill))
        sending = asyncio.create_task(outbox.run())
        try:
            yield make_switch(latch, clock, state, outbox), outbox, ledger
        finally:
            sending.cancel()
            await outbox.drain(timeout_s=5)


async def told(ledger: Ledger) -> list[object]:
    report = await ledger.answer(GetNotices(reader="test"))
    assert isinstance(report, NoticesReport)
    return [stamped.notice for stamped in report.notices]


class Asked(TypedDict):
    envelope: Envelope
    code: str | None


def asked_by(code: str | None, at_ns: int) -> Asked:
    envelope = seal(Unkill(code=code), by="me", at_ns=at_ns).envelope
    assert envelope is not None
    return Asked(envelope=envelope, code=code)


def unkill(at_ns: int, *, code: str | None = None) -> Asked:
    return asked_by(pyotp.TOTP(SECRET).at(at_ns // S) if code is None else code, at_ns)


def kill(at_ns: int, why: str = "test") -> LatchRecord:
    return kill_record(seal(Kill(why=why), by="me", at_ns=at_ns).sealed, why=why)


def test_what_was_asked_before_the_latch_was_last_changed_is_void(latch: KillLatch) -> None:
    switch = make_switch(latch, lambda: 1_000)
    assert switch.voids_unkill(100) is not None
    assert switch.voids_unkill(101) is None

    latch.path.write_text("stop\n")  # by hand, as a person with a shell does
    os.utime(latch.path, ns=(200, 200))

    assert switch.voids_unkill(200) is not None
    assert switch.voids_unkill(201) is None
    assert switch.voids_loosening(200) is not None


def test_a_kill_stamped_by_a_clock_that_ran_behind_still_voids_what_was_asked_before_it(
    latch: KillLatch,
) -> None:
    now_ns = NOW_NS
    behind_ns = 8 * 3_600 * S
    switch = make_switch(latch, lambda: now_ns)
    asked_at_ns = NOW_NS + behind_ns - 5 * S  # by a clock that is right, five seconds before

    switch.kill(kill(now_ns, "stop"))
    switch.tightened()
    now_ns += behind_ns
    switch.step_clock(behind_ns)

    assert switch.voids_unkill(asked_at_ns) is not None
    assert switch.voids_loosening(asked_at_ns) is not None
    now_ns += S
    assert switch.voids_unkill(now_ns) is None


def test_a_second_kill_by_hand_voids_what_was_asked_before_it_though_the_clock_is_set_then(
    latch: KillLatch,
) -> None:
    now_ns, ahead_ns = NOW_NS, 600 * S
    switch = make_switch(latch, lambda: now_ns)
    for _ in range(2):
        now_ns += 20 * S
        latch.path.write_text("stop\n")
        os.utime(latch.path, ns=(now_ns, now_ns))
        switch.watch()
    asked_at_ns = now_ns + ahead_ns - 5 * S  # by a clock that is right, before the second one

    now_ns += ahead_ns
    switch.step_clock(ahead_ns)

    assert switch.voids_unkill(asked_at_ns) is not None
    now_ns += S
    assert switch.voids_unkill(now_ns) is None


def test_a_latch_that_vanished_voids_what_was_asked_before_that_was_seen(latch: KillLatch) -> None:
    switch = make_switch(latch, lambda: 1_000)
    latch.path.unlink()

    assert switch.voids_unkill(1_000) is not None
    assert switch.voids_unkill(1_001) is None


def test_a_tightening_voids_second_steps_from_before_it_over_a_restart_too(
    latch: KillLatch,
) -> None:
    switch = make_switch(latch, lambda: 1_000, replace(NEW, changed_at_ns=300))
    assert switch.voids_loosening(300) is not None
    assert switch.voids_loosening(301) is None

    switch.tightened()

    assert switch.voids_loosening(1_000) is not None
    assert switch.voids_unkill(301) is None, "a pause says nothing about the latch"


@pytest.mark.parametrize(("killed_at_ns", "is_killed"), [(101, True), (100, False), (99, False)])
def test_of_the_ledgers_kill_and_the_files_clearing_the_newer_one_counts(
    latch: KillLatch, killed_at_ns: int, *, is_killed: bool
) -> None:
    state = replace(NEW, latch=LatchState(is_killed=True, at_ns=killed_at_ns))

    make_switch(latch, lambda: 1_000, state)

    assert latch.is_killed() == is_killed


async def test_kill_and_unkill_are_told_and_kept_over_any_age(latch: KillLatch) -> None:
    now_ns = NOW_NS
    async with begun(latch, lambda: now_ns) as (switch, _, ledger):
        switch.kill(kill(now_ns, "test"))
        assert latch.is_killed()
        os.utime(latch.path, ns=(now_ns, now_ns))
        now_ns += S
        assert await switch.unkill(**unkill(now_ns)) is None

        assert not latch.is_killed()
        assert [type(one) for one in await told(ledger)] == [Killed, Unkilled]
        now_ns += 10_000 * 86_400 * S
        lately = replace(kill(0), at_ns=now_ns - 2 * 86_400 * S)
        await ledger.answer(Append(records=[replace(lately, act=LatchAct.WRONG_CODE)]))
        assert await ledger.apply_retention() == 2, "their notices, which were told"
        audit = await ledger.answer(GetExport(table="audit", days=20_000))
        assert isinstance(audit, ExportReport)
        assert audit.rows == 3
        assert b"kill: test" in audit.content


async def test_an_unkill_that_cannot_be_stored_does_not_act(latch: KillLatch) -> None:
    switch = make_switch(latch, lambda: NOW_NS)
    switch.kill(kill(NOW_NS, "test"))
    os.utime(latch.path, ns=(NOW_NS, NOW_NS))

    with pytest.raises(TransientError, match="nothing was changed"):
        await switch.unkill(**unkill(NOW_NS + S))

    assert latch.is_killed()


@pytest.mark.parametrize(
    "obstacle", ["the ledger is away", "a hand kills", "a hand removes", "the disk refuses"]
)
async def test_behind_an_unkill_that_was_stored_and_did_not_act_stands_a_kill(
    latch: KillLatch, obstacle: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns, is_away = NOW_NS, obstacle == "the ledger is away"
    if is_away:  # all else is stored at once, however slow the machine is
        monkeypatch.setattr("engine.operate.kill_switch.STORED_WITHIN_S", 0.5)

    def happen() -> None:
        if obstacle == "the ledger is away":
            if is_away:
                raise TransientError("away")
        elif obstacle == "a hand kills":
            latch.path.write_text("stop\n")
            os.utime(latch.path, ns=(now_ns, now_ns))
        elif obstacle == "a hand removes":
            latch.path.unlink()
        else:
            latch.path.unlink()
            latch.path.mkdir()
            os.utime(latch.path, ns=(now_ns - S, now_ns - S))

    async with begun(latch, lambda: now_ns, at_unkill=happen) as (switch, outbox, ledger):
        switch.kill(kill(now_ns, "test"))
        os.utime(latch.path, ns=(now_ns, now_ns))
        now_ns += S
        try:
            assert await switch.unkill(**unkill(now_ns)) is not None
        except TransientError:
            assert is_away
        is_away = False
        await outbox.drain(timeout_s=5)

        assert latch.is_killed()
        assert [type(one) for one in await told(ledger)] == [Killed, Unkilled, Killed]
        state = await ledger.answer(LoadState(day_start_ns=0))
        assert isinstance(state, EngineState)
        assert state.latch.is_killed


async def test_what_is_done_to_the_file_by_hand_is_recorded_and_told(latch: KillLatch) -> None:
    async with begun(latch, lambda: NOW_NS) as (switch, outbox, ledger):
        latch.path.write_text("stop it\n")
        switch.watch()
        assert outbox.waiting == 0, "whoever kills by file and bus is told by the bus"
        switch.watch()
        latch.path.write_text("clear\n")
        for _ in range(3):
            switch.watch()
        await outbox.drain(timeout_s=5)

        killed, unkilled = await told(ledger)
        assert isinstance(killed, Killed)
        assert killed.why == "stop it"
        assert isinstance(unkilled, Unkilled)


async def test_an_unkill_behind_which_another_was_taken_back_does_not_act(
    latch: KillLatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_ns, is_away = NOW_NS, True

    def happen() -> None:
        if is_away:
            raise TransientError("away")

    async with begun(latch, lambda: now_ns, at_unkill=happen) as (switch, outbox, ledger):
        switch.kill(kill(now_ns, "test"))
        os.utime(latch.path, ns=(now_ns, now_ns))
        now_ns += S
        asked = asked_by(None, now_ns)
        monkeypatch.setattr("engine.operate.kill_switch.STORED_WITHIN_S", 0.3)
        hasty = asyncio.create_task(switch.unkill(**asked))
        await asyncio.sleep(0)  # it has begun to wait
        monkeypatch.setattr("engine.operate.kill_switch.STORED_WITHIN_S", 20)
        patient = asyncio.create_task(switch.unkill(**asked))
        with pytest.raises(TransientError):
            await hasty
        is_away = False
        assert await patient is not None
        await outbox.drain(timeout_s=5)

        assert latch.is_killed()
        state = await ledger.answer(LoadState(day_start_ns=0))
        assert isinstance(state, EngineState)
        assert state.latch.is_killed


async def test_a_kill_by_hand_is_told_before_the_unkill_that_overtakes_its_record(
    latch: KillLatch,
) -> None:
    def look_twice() -> None:
        switch.watch()
        switch.watch()

    async with begun(latch, lambda: NOW_NS, at_unkill=look_twice) as (switch, outbox, ledger):
        latch.path.write_text("stop it\n")
        os.utime(latch.path, ns=(NOW_NS - S, NOW_NS - S))
        assert await switch.unkill(**unkill(NOW_NS)) is None
        await outbox.drain(timeout_s=5)

        assert not latch.is_killed()
        assert [type(one) for one in await told(ledger)] == [Killed, Unkilled]
        state = await ledger.answer(LoadState(day_start_ns=0))
        assert isinstance(state, EngineState)
        assert not state.latch.is_killed


async def test_what_was_done_to_the_file_while_no_engine_ran_is_recorded_at_the_next_start(
    latch: KillLatch,
) -> None:
    async with begun(latch, lambda: NOW_NS) as (switch, _, _ledger):
        switch.kill(kill(NOW_NS, "test"))
    latch.clear()

    async with begun(latch, lambda: NOW_NS + S) as (switch, outbox, ledger):
        assert not latch.is_killed()
        switch.watch()
        switch.watch()
        await outbox.drain(timeout_s=5)
        assert [type(one) for one in await told(ledger)] == [Killed, Unkilled]


async def test_a_used_code_and_a_lock_out_outlive_the_engine(latch: KillLatch) -> None:
    now_ns = NOW_NS
    used = unkill(now_ns + S)
    async with begun(latch, lambda: now_ns) as (switch, _, _ledger):
        switch.kill(kill(now_ns, "test"))
        os.utime(latch.path, ns=(now_ns, now_ns))
        now_ns += S
        assert await switch.unkill(**used) is None
        switch.kill(kill(now_ns, "again"))
        os.utime(latch.path, ns=(now_ns, now_ns))
    now_ns += S

    async with begun(latch, lambda: now_ns) as (switch, _, _ledger):
        again = asked_by(used["code"], now_ns)
        assert "used before" in (await switch.unkill(**again) or "")
        for _ in range(TRIES_MAX - 1):
            await switch.unkill(**unkill(now_ns, code="000000"))

    now_ns += S * (LOCKED_S - 1)
    async with begun(latch, lambda: now_ns) as (switch, _, _ledger):
        assert "too many" in (await switch.unkill(**unkill(now_ns)) or "")
        now_ns += 2 * S
        assert await switch.unkill(**unkill(now_ns)) is None


async def test_a_code_that_was_not_kept_is_no_wrong_code(latch: KillLatch) -> None:
    switch = make_switch(latch, lambda: NOW_NS)
    switch.kill(kill(NOW_NS, "test"))
    os.utime(latch.path, ns=(NOW_NS, NOW_NS))

    for _ in range(TRIES_MAX + 1):
        refusal = await switch.unkill(**unkill(NOW_NS + S, code="not-kept"))
        assert "not kept over a restart" in (refusal or "")


def test_a_clock_that_was_set_back_locks_nobody_out(latch: KillLatch) -> None:
    now_ns = [10_000]
    os.utime(latch.path, ns=(9_000, 9_000))
    state = replace(NEW, changed_at_ns=8_000, latch=LatchState(is_killed=True, at_ns=9_500))
    switch = make_switch(latch, lambda: now_ns[0], state)

    now_ns[0] = 500
    switch.read_latch()
    assert switch.voids_loosening(500) is not None
    assert switch.voids_loosening(501) is None


def test_a_signal_voids_what_was_asked_before_it(latch: KillLatch) -> None:
    switch = make_switch(latch, lambda: 1_000)

    latch.hold()  # as the handler of the signal does

    assert switch.voids_unkill(1_000) is not None
    assert switch.voids_unkill(1_001) is None


async def test_a_file_named_kill_kills_and_has_to_go_before_a_clearing(latch: KillLatch) -> None:
    now_ns = NOW_NS
    async with begun(latch, lambda: now_ns) as (switch, outbox, ledger):
        order = latch.path.with_name("KILL")
        order.touch()
        switch.watch()
        assert KillLatch(latch.path.parent).is_killed(), "on disk, for every process"
        now_ns += 60 * S
        assert "KILL lies beside" in (await switch.unkill(**unkill(now_ns)) or "")
        order.unlink()
        os.utime(latch.path, ns=(NOW_NS, NOW_NS))
        assert await switch.unkill(**unkill(now_ns)) is None
        switch.watch()
        assert not switch.is_killed()
        await outbox.put_durably(kill(now_ns + 1))
        first, *_ = await told(ledger)
    assert isinstance(first, Killed)
    assert first.by == "the file KILL"
