"""A trigger stops background work at once, and it goes on when all is quiet: however they come."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.background.group import Group, started_of
from engine.background.hold import Hold
from engine.background.hold_page import Page
from engine.background.hold_watch import HoldWatch
from engine.background.switches import Ended, Trigger
from tests.background.busy_group import BusyGroup, busy_group, opened, until
from tests.background.holding import TERMS, Clock, Scene, scene


@pytest.fixture(scope="module")
def busy() -> Iterator[BusyGroup]:
    with busy_group() as group:
        yield group


@pytest.fixture
def at_work(tmp_path: Path, busy: BusyGroup) -> Iterator[Scene]:
    with scene(tmp_path / "page", busy) as made:
        yield made


def test_without_background_work_a_trigger_does_nothing(tmp_path: Path) -> None:
    clock = Clock()
    hold = Hold(
        "e",
        tmp_path / "none",
        terms=TERMS,
        call_later=clock.call_later,
        call_soon=clock.call_soon,
        now_ns=clock,
    )

    hold.trigger(Trigger.KILL)
    hold.look()
    hold.trigger(Trigger.KILL)

    assert not hold.is_on()
    assert hold.triggers == 0
    assert "No such file" in hold.trouble
    assert not clock.timers


def test_the_path_of_a_trigger_makes_no_timer_but_what_comes_right_after_it_does(
    at_work: Scene,
) -> None:
    hold = at_work.holder()
    before = list(at_work.clock.timers)
    hold.trigger(Trigger.OPPORTUNITY)

    (soon,) = [one for one in at_work.clock.timers if one not in before]
    assert soon.at_ns == at_work.clock.now_ns
    at_work.clock.pass_ms(0)
    (later,) = [one for one in at_work.clock.timers if one not in before]
    assert later.at_ns == at_work.clock.now_ns + TERMS.quiet_ns


def test_work_stops_at_a_trigger_and_goes_on_when_it_is_quiet(at_work: Scene) -> None:
    hold = at_work.holder()

    hold.trigger(Trigger.OPPORTUNITY, "run-1")
    until(at_work.busy.is_stopped, "stopped")
    at_work.pass_ms(29)
    assert hold.is_on()
    at_work.clock.pass_ms(1)

    assert not hold.is_on()
    assert at_work.busy.is_stopped()  # the holder itself lets nothing go on: it would be in its way
    at_work.watch.look()
    until(at_work.busy.is_running, "runs")
    (switch,) = at_work.watch.switches.report().newest
    assert (switch.holder, switch.trigger, switch.ended) == (
        *("engine-main", Trigger.OPPORTUNITY),
        Ended.QUIET,
    )
    assert switch.held_ns == TERMS.quiet_ns
    assert (switch.subject, switch.led_to) == ("run-1", "plan of run-1")
    assert at_work.watch.held_ns == TERMS.quiet_ns


def test_triggers_while_it_is_held_extend_it_and_are_one_switch(at_work: Scene) -> None:
    hold = at_work.holder()

    hold.trigger(Trigger.OPPORTUNITY, "run-1")
    at_work.pass_ms(20)
    hold.trigger(Trigger.KILL)
    hold.trigger(Trigger.APPROVAL)
    at_work.pass_ms(29)
    assert hold.is_on()
    at_work.pass_ms(1)

    assert not hold.is_on()
    at_work.watch.look()
    (switch,) = at_work.watch.switches.report().newest
    assert (switch.triggers, switch.held_ns) == (3, 50_000_000)
    assert switch.others == 1 << Trigger.KILL | 1 << Trigger.APPROVAL


def test_a_plan_under_way_is_waited_for_but_not_for_ever(at_work: Scene) -> None:
    hold = at_work.holder()
    at_work.is_busy = True

    hold.trigger(Trigger.OPPORTUNITY)
    at_work.pass_ms(999)
    assert hold.is_on()
    at_work.pass_ms(1)

    assert not hold.is_on()
    at_work.watch.look()
    assert at_work.watch.switches.report().by_end == {Ended.LONGEST: 1}
    hold.trigger(Trigger.OPPORTUNITY)  # work is due its share first
    assert not hold.is_on()
    assert hold.passed_over == 1
    at_work.pass_ms(30)
    hold.trigger(Trigger.OPPORTUNITY)
    assert hold.is_on()


def test_work_keeps_its_share_in_a_storm_of_triggers(at_work: Scene) -> None:
    hold, seconds = at_work.holder(), 20

    for _ in range(seconds * 1_000):
        hold.trigger(Trigger.OPPORTUNITY, "run-1")
        at_work.pass_ms(1)
        if at_work.clock.now_ns // 1_000_000 % 50 == 0:
            at_work.watch.look()
    hold.close()
    at_work.watch.look()

    report = at_work.watch.switches.report()
    held_s = at_work.watch.held_ns / 1e9
    # The credit of the beginning, and from then on half of the time.
    assert held_s <= 1.0 + 0.5 * seconds
    assert held_s > 0.4 * seconds
    assert report.lost == report.damaged == 0
    assert report.count <= 2 * seconds * 1_000 / 60 + 2
    assert report.triggers + hold.passed_over == seconds * 1_000
    assert hold.failures == 0


def test_work_goes_on_only_when_no_holder_holds_it(
    at_work: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, chains = at_work.holder(), at_work.holder("chains")
    resumed, resume = [], Group.resume

    def counted(group: Group) -> bool:
        resumed.append(at_work.clock.now_ns)
        return resume(group)

    monkeypatch.setattr(Group, "resume", counted)

    engine.trigger(Trigger.OPPORTUNITY)
    at_work.pass_ms(20)
    chains.trigger(Trigger.IMPACT)
    at_work.pass_ms(10)
    assert not engine.is_on()
    assert chains.is_on()
    until(at_work.busy.is_stopped, "still stopped")
    assert not resumed
    at_work.pass_ms(20)

    assert not chains.is_on()
    assert len(resumed) == 1
    until(at_work.busy.is_running, "runs")


def test_a_trigger_between_the_look_and_the_resuming_wins(
    at_work: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, chains = at_work.holder(), at_work.holder("chains")
    resume = Group.resume

    def interrupted(group: Group) -> bool:
        chains.trigger(Trigger.IMPACT)
        return resume(group)

    engine.trigger(Trigger.OPPORTUNITY)
    with monkeypatch.context() as patched:
        patched.setattr(Group, "resume", interrupted)
        at_work.pass_ms(30)

    assert not engine.is_on()
    assert chains.is_on()
    until(at_work.busy.is_stopped, "stopped again")
    at_work.pass_ms(30)
    until(at_work.busy.is_running, "runs")


def test_a_holders_own_trigger_while_it_resumes_wins(
    at_work: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = at_work.holder()
    resume = Group.resume

    def interrupted(group: Group) -> bool:
        engine.trigger(Trigger.KILL)
        return resume(group)

    engine.trigger(Trigger.OPPORTUNITY)
    with monkeypatch.context() as patched:
        patched.setattr(Group, "resume", interrupted)
        at_work.pass_ms(30)

    assert engine.is_on()
    until(at_work.busy.is_stopped, "stopped again")
    at_work.pass_ms(30)
    assert not engine.is_on()
    until(at_work.busy.is_running, "runs")
    at_work.watch.look()
    assert at_work.watch.switches.report().by_trigger == {"opportunity": 1, "kill": 1}


def test_a_group_that_comes_while_it_is_held_is_stopped_too(at_work: Scene) -> None:
    hold = at_work.holder()
    hold.trigger(Trigger.OPPORTUNITY)
    with busy_group() as other:
        at_work.watch.follow(opened(other))
        hold.look()

        until(other.is_stopped, "stopped")
        at_work.pass_ms(30)
        until(other.is_running, "runs")
    opened(at_work.busy).resume()


def test_a_worker_that_dies_while_it_is_stopped_leaves_the_others_to_go_on(tmp_path: Path) -> None:
    with busy_group() as busy, scene(tmp_path / "page", busy) as at_work:
        hold = at_work.holder()
        hold.trigger(Trigger.OPPORTUNITY)
        until(busy.is_stopped, "stopped")

        busy.kill(busy.children[0])
        at_work.pass_ms(30)

        until(lambda: "R" in busy.states(), "the other runs")
        assert hold.failures == 0


def test_a_trigger_for_a_group_that_is_gone_holds_nothing(tmp_path: Path, busy: BusyGroup) -> None:
    alone = subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", "input()"], stdin=subprocess.PIPE, process_group=0
    )
    with scene(tmp_path / "page", busy) as at_work:
        at_work.watch.follow(Group(alone.pid, started_of(alone.pid)))
        hold = at_work.holder()
        alone.communicate()

        hold.trigger(Trigger.OPPORTUNITY)
        assert not hold.is_on()
        assert hold.trouble == "its processes are gone"
        at_work.watch.follow(None)
        hold.look()

        assert hold.trouble == "there is no background work"


def test_the_page_of_a_role_that_was_started_again_is_found(
    tmp_path: Path, busy: BusyGroup
) -> None:
    path = tmp_path / "page"
    with scene(path, busy) as first:
        hold = first.holder()
        first.page.remove()
        first.holders.clear()
        first.watch.close = lambda: None  # type: ignore[method-assign]  # its page is gone
    hold.look()
    assert "No such file" in hold.trouble
    page = Page.make(path)
    page.announce(busy.leader, busy.started)

    hold.look()
    hold.trigger(Trigger.OPPORTUNITY)

    until(busy.is_stopped, "stopped")
    hold.close()
    page.remove()
    opened(busy).resume()
    until(busy.is_running, "runs")


LOCKED = """
import fcntl, hashlib, os, sys
path = sys.argv[1]
if os.fork() == 0:
    block = bytes(1 << 22)
    with open(path, "w") as lock:
        print("begun", flush=True)
        digest = b""
        for _ in range(40):
            fcntl.flock(lock, fcntl.LOCK_EX)
            digest = hashlib.sha256(digest + block).digest()
            fcntl.flock(lock, fcntl.LOCK_UN)
    print(digest.hex(), flush=True)
    os._exit(0)
os.wait()
"""


def test_a_task_in_a_native_call_that_holds_a_lock_ends_as_if_undisturbed(tmp_path: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", LOCKED, str(tmp_path / "lock")]
    undisturbed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    with subprocess.Popen(command, stdout=subprocess.PIPE, process_group=0, text=True) as process:
        assert process.stdout is not None
        begun = process.stdout.readline()
        page, clock = Page.make(tmp_path / "page"), Clock()
        watch = HoldWatch(page, now_ns=clock)
        watch.follow(Group(process.pid, started_of(process.pid)))
        hold = Hold(
            *("engine-main", tmp_path / "page"),
            terms=TERMS,
            call_later=clock.call_later,
            call_soon=clock.call_soon,
            now_ns=clock,
        )
        hold.look()

        for _ in range(20):
            hold.trigger(Trigger.OPPORTUNITY)
            clock.pass_ms(200)
            watch.look()
        disturbed = begun + process.stdout.read()

    assert disturbed == undisturbed
    hold.close()
    page.remove()
