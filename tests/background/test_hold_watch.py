"""No hold outlives its holder or its bound, and what a page says is believed only if it can be."""

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from engine.background.group import ran_ns
from engine.background.hold import Hold
from engine.background.hold_page import (
    MAGIC,
    PAGE_BYTES,
    RING,
    RINGS_AT,
    SLOTS,
    WORD,
    Page,
    PageGoneError,
)
from engine.background.hold_watch import RAN_NS, STUCK_LOOKS, HoldWatch
from engine.background.switches import Ended, Switch, Switches, Trigger
from tests.background.busy_group import WITHIN_KERNEL, BusyGroup, busy_group, state_of, until
from tests.background.holding import MS, TERMS, Clock, Scene, scene


@pytest.fixture(scope="module")
def busy() -> Iterator[BusyGroup]:
    with busy_group() as group:
        yield group


@pytest.fixture
def at_work(tmp_path: Path, busy: BusyGroup) -> Iterator[Scene]:
    with scene(tmp_path / "page", busy) as made:
        yield made


def test_a_hold_of_a_holder_that_was_killed_is_ended_and_told(at_work: Scene) -> None:
    command = [sys.executable, "-m", "tests.background.holding", str(at_work.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"holds\n"
        until(at_work.busy.is_stopped, "stopped")
        at_work.clock.now_ns = Clock().now_ns
        at_work.watch.look()
        assert at_work.watch.is_held()
        holder.kill()

    at_work.watch.look()

    until(at_work.busy.is_running, "runs")
    assert not at_work.watch.is_held()
    (switch,) = at_work.watch.switches.report().newest
    assert (switch.holder, switch.trigger, switch.ended) == (
        *("engine-killed", Trigger.KILL),
        Ended.HOLDER_DEAD,
    )


def test_a_hold_of_a_stuck_holder_is_ended_and_it_may_hold_again(at_work: Scene) -> None:
    hold = at_work.holder()
    hold.trigger(Trigger.OPPORTUNITY)

    at_work.clock.pass_ms(270, is_loop_stuck=True)
    at_work.watch.look()
    assert at_work.watch.is_held()
    at_work.clock.pass_ms(20, is_loop_stuck=True)
    at_work.watch.look()
    assert not at_work.watch.is_held()
    until(at_work.busy.is_running, "runs")

    hold.trigger(Trigger.KILL)
    assert hold.is_on()
    until(at_work.busy.is_stopped, "stopped")
    at_work.clock.pass_ms(30)
    at_work.watch.look()
    assert at_work.watch.switches.report().by_end == {Ended.OVERDUE: 1, Ended.QUIET: 1}


def test_a_hold_that_begins_while_the_watch_looks_is_left_alone(at_work: Scene) -> None:
    hold, asked = at_work.holder(), []

    def clock() -> int:
        now_ns = at_work.clock()
        asked.append(now_ns)
        if len(asked) == 1:  # its look has begun
            at_work.clock.pass_ms(1)
            hold.trigger(Trigger.OPPORTUNITY)
        return now_ns

    watch = HoldWatch(at_work.page, now_ns=clock)
    watch.look()

    assert hold.is_on()
    assert watch.is_held()
    assert watch.switches.report().by_end == {}


def test_holders_that_take_turns_leave_work_its_time(at_work: Scene) -> None:
    # Each of them has credit for more than all are allowed together.
    names = [f"engine-{number}" for number in range(7)]
    holders = [at_work.holder(name) for name in names]

    for turn in range(7_000):
        holders[turn // 990 % len(holders)].trigger(Trigger.OPPORTUNITY)
        at_work.clock.pass_ms(1)
        if turn % 50 == 0:
            at_work.watch.look()
        if Ended.OVERDUE in at_work.watch.switches.report().by_end:
            break

    assert at_work.watch.switches.report().by_end[Ended.OVERDUE] >= 1
    until(at_work.busy.is_running, "runs")
    rested = holders[-1]
    rested.trigger(Trigger.OPPORTUNITY)
    assert not rested.is_on()
    assert rested.passed_over
    at_work.clock.pass_ms(1_000)
    rested.trigger(Trigger.OPPORTUNITY)
    assert rested.is_on()


def test_what_nobody_holds_is_let_go_at_the_second_look(at_work: Scene) -> None:
    assert at_work.watch.group is not None
    at_work.watch.look()
    at_work.watch.group.stop()
    until(at_work.watch.group.is_stopped, "stopped")

    for _ in range(STUCK_LOOKS):
        at_work.watch.look()
    assert at_work.watch.stuck == 0
    for _ in range(STUCK_LOOKS):
        at_work.watch.look()

    assert at_work.watch.stuck == 1
    until(at_work.busy.is_running, "runs")


def until_it_ran(process: int) -> None:
    before_ns = ran_ns(process)
    until(lambda: ran_ns(process) > before_ns + 2 * RAN_NS, "it ran")


def test_a_process_that_runs_while_all_is_held_is_told_and_told_to_stop_again(
    at_work: Scene,
) -> None:
    hold = at_work.holder()
    hold.trigger(Trigger.OPPORTUNITY)
    until(at_work.busy.is_stopped, "stopped")
    at_work.watch.look()
    stubborn = at_work.busy.children[1]
    os.kill(stubborn, signal.SIGCONT)
    until(lambda: "R" in at_work.busy.states(), "it runs on")

    at_work.clock.pass_ms(25)
    at_work.watch.look()
    assert not at_work.watch.unstopped
    until_it_ran(stubborn)
    at_work.watch.look()
    until(at_work.busy.is_stopped, "stopped again")
    at_work.watch.look()

    assert [(one.process, one.state) for one in at_work.watch.unstopped] == [(stubborn, "R")]
    report = at_work.watch.switches.report()
    assert (report.unstopped, report.forced) == (1, 0)


def test_a_process_that_does_not_stop_when_told_again_is_ended_and_the_others_go_on(
    tmp_path: Path,
) -> None:
    with busy_group() as busy, scene(tmp_path / "page", busy) as at_work:
        hold = at_work.holder()
        hold.trigger(Trigger.OPPORTUNITY)
        at_work.watch.look()
        stubborn = busy.children[1]
        until(busy.is_stopped, "stopped")
        at_work.clock.pass_ms(20)
        hold.trigger(Trigger.OPPORTUNITY)
        os.kill(stubborn, signal.SIGCONT)
        until_it_ran(stubborn)
        at_work.watch.look()
        until_it_ran(stubborn)
        at_work.watch.look()
        until(busy.is_stopped, "stopped again")
        os.kill(stubborn, signal.SIGCONT)
        until_it_ran(stubborn)
        at_work.watch.look()

        until(lambda: state_of(stubborn) in {"", "Z"}, "it is ended")
        report = at_work.watch.switches.report()
        assert (report.unstopped, report.forced) == (1, 1)
        at_work.pass_ms(30)
        until(lambda: state_of(busy.children[0]) == "R", "the other goes on")
        assert busy.process.poll() is None


def test_a_process_within_the_kernel_is_told_and_not_ended_for_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with (
        busy_group(WITHIN_KERNEL, str(pipe)) as busy,
        scene(tmp_path / "page", busy) as at_work,
    ):
        (waiting,) = busy.children
        until(lambda: state_of(waiting) == "D", "it waits")
        hold = at_work.holder()

        for _ in range(4):
            hold.trigger(Trigger.OPPORTUNITY)
            at_work.watch.look()
            at_work.clock.pass_ms(20)
        assert [(one.process, one.state) for one in at_work.watch.unstopped] == [(waiting, "D")]
        assert at_work.watch.switches.report().forced == 0
        at_work.pass_ms(30)
        with pipe.open("w"):
            assert busy.process.stdout is not None
            assert busy.process.stdout.readline() == "done\n"


@pytest.mark.parametrize(
    ("triggered_ms", "until_ms"), [(-20_000, 10), (5_000, 10), (0, 20_000), (0, 1 << 40)]
)
def test_a_hold_in_times_that_cannot_be_is_ended(
    at_work: Scene, triggered_ms: int, until_ms: int
) -> None:
    at_work.holder()
    slot = next(at_work.page.slots())
    slot[WORD.TRIGGERED] = at_work.clock.now_ns + triggered_ms * MS
    slot[WORD.UNTIL] = at_work.clock.now_ns + until_ms * MS
    slot[WORD.NUMBER] = 7

    at_work.watch.look()

    assert not at_work.watch.is_held()
    assert at_work.watch.switches.report().by_end == {Ended.ABSURD: 1}


def test_switches_that_come_faster_than_they_are_read_are_counted_as_lost(at_work: Scene) -> None:
    hold = at_work.holder()

    for _ in range(RING + 5):
        hold.trigger(Trigger.OPPORTUNITY)
        at_work.clock.pass_ms(70)
    at_work.watch.look()

    report = at_work.watch.switches.report()
    assert (report.count, report.lost, report.damaged) == (RING, 5, 0)


def test_a_page_of_garbage_has_nothing_signalled_and_nobody_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "killpg", lambda _group, number: sent.append(number))
    monkeypatch.setattr(
        signal, "pidfd_send_signal", lambda _handle, number, *_of: sent.append(number)
    )
    chance, clock = random.Random(12), Clock()
    records = garbage(chance, PAGE_BYTES // 8 - RINGS_AT)
    for turn in range(100):
        path = tmp_path / f"page-{turn}"
        page = Page.make(path)
        hold = Hold(
            "engine-main",
            path,
            terms=TERMS,
            call_later=clock.call_later,
            call_soon=clock.call_soon,
            now_ns=clock,
        )
        if turn % 2:
            hold.look()
        kept = 2 if turn % 3 else 0  # the words by which it is known
        page.words[kept:] = memoryview(garbage(chance, RINGS_AT - kept) + records).cast("q")
        watch = HoldWatch(page, now_ns=clock)

        for _ in range(3):
            hold.look()
            hold.trigger(Trigger.OPPORTUNITY, "run-1")
            clock.pass_ms(40)
            watch.look()
        report = watch.switches.report()
        hold.close()
        watch.close()

        assert report.count <= SLOTS * (RING + 3)
    assert sent == []


def garbage(chance: random.Random, words: int) -> bytes:
    """Return words of all sizes, so that some pass for instants, numbers and processes."""
    sizes = (1, 6, 12, 22, 40, 62, 63)
    drawn = (chance.getrandbits(chance.choice(sizes)) for _ in range(words))
    return b"".join(
        (one if chance.random() < 0.8 else -one).to_bytes(8, "little", signed=True) for one in drawn
    )


def test_garbage_under_a_hold_does_not_keep_work_from_going_on(
    at_work: Scene,
) -> None:
    hold = at_work.holder()
    hold.trigger(Trigger.OPPORTUNITY)
    until(at_work.busy.is_stopped, "stopped")
    words = PAGE_BYTES // 8 - 16
    at_work.page.words[16:] = memoryview(garbage(random.Random(3), words)).cast("q")

    at_work.clock.pass_ms(40)
    for _ in range(3):
        at_work.watch.look()

    assert not hold.is_on()
    until(at_work.busy.is_running, "runs")


def test_a_file_that_is_no_page_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "page"
    path.write_bytes(b"short")
    with pytest.raises(PageGoneError, match="has 5 bytes"):
        Page.open(path)
    path.write_bytes(bytes(PAGE_BYTES))
    with pytest.raises(PageGoneError, match="no hold page of format"):
        Page.open(path)
    path.write_bytes(MAGIC.to_bytes(8, "little") + bytes(PAGE_BYTES - 8))
    with pytest.raises(PageGoneError, match="no hold page of format"):
        Page.open(path)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(PageGoneError, match="symbolic links"):
        Page.open(link)
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(PageGoneError):
        Page.open(folder)
    with pytest.raises(PageGoneError, match="No such file"):
        Page.open(tmp_path / "none")

    made = Page.make(path)

    assert Page.open(path).announced() is None
    made.remove()
    assert not path.exists()


def test_more_holders_than_slots_are_refused_and_told(at_work: Scene) -> None:
    holders = [at_work.holder(f"engine-{number}") for number in range(9)]

    assert [hold.trouble for hold in holders[:8]] == [""] * 8
    assert "all 8 slots" in holders[8].trouble
    holders[8].trigger(Trigger.KILL)
    assert not holders[8].is_on()


def test_a_record_that_was_changed_is_counted_as_damaged_and_not_believed(at_work: Scene) -> None:
    hold = at_work.holder()
    for _ in range(2):
        hold.trigger(Trigger.OPPORTUNITY, "run-1")
        at_work.clock.pass_ms(70)
    second = RINGS_AT + 2 * (PAGE_BYTES // 8 - RINGS_AT) // (SLOTS * RING)
    at_work.page.words[second + 4] ^= 1 << 40

    at_work.watch.look()

    report = at_work.watch.switches.report()
    assert (report.count, report.damaged, report.lost) == (1, 1, 0)


def test_a_record_longer_than_its_room_keeps_all_but_its_words(at_work: Scene) -> None:
    hold = at_work.holder()

    hold.trigger(Trigger.OPPORTUNITY, "x" * 500)
    at_work.clock.pass_ms(30)
    at_work.watch.look()

    report = at_work.watch.switches.report()
    assert [one.subject for one in report.newest] == [""]
    assert report.damaged == 0


def test_a_report_of_switches_can_be_sent_and_counts_times_in_classes() -> None:
    switches = Switches()
    for signal_us in (1, 8, 8, 30_000):
        switches.add(
            Switch(
                holder="engine-main",
                trigger=Trigger.IMPACT,
                others=0,
                triggers=2,
                triggered_at_ns=1,
                signal_ns=signal_us * 1_000,
                held_ns=30 * MS,
                resume_ns=4_000,
                ended=Ended.QUIET,
            )
        )

    report = switches.report()

    assert msgspec.json.decode(msgspec.json.encode(report), type=type(report)) == report
    assert (report.count, report.triggers) == (4, 8)
    assert report.signal.counts == (1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1)
    assert report.signal.below(0.5) == 10
    assert report.signal.below(0.99) == report.signal.max == 30_000
