"""Alerts: told once, edited in place, repeated until acknowledged, damped, hidden and counted."""

import pytest

from bot.alerts.alert import Severity, State
from bot.alerts.hiding import shown_state
from bot.alerts.kept import adopt, encode
from bot.alerts.machine import DAY, STORM, AlertMachine
from bot.alerts.table import ROWS, Way, kinds, row_of
from engine.bus.notices import IncidentEnded, IncidentOpened, Notice, RoleBack, Unkilled
from engine.domain.health import Weight
from engine.domain.modes import Basis
from tests.bot import samples
from tests.bot.alerts.makers import BY, MINUTE, Table, away, back, killed, limit, lost, refused
from tests.bot.samples import AT_NS


def test_every_notice_has_a_row_and_no_row_stands_twice() -> None:
    assert [row.notice for row in ROWS] == list(dict.fromkeys(row.notice for row in ROWS))
    assert {row.notice for row in ROWS} == set(Notice.__args__)


@pytest.mark.parametrize("notice", samples.all_notices(), ids=lambda n: type(n).__name__)
def test_every_notice_that_becomes_an_alert_has_a_name_that_a_command_takes(
    notice: Notice,
) -> None:
    row = row_of(notice)

    names = [*row.ends(notice), *([row.fingerprint(notice)] if row.way is Way.ALERT else [])]

    assert names or row.way in {Way.NEWS, Way.ACT}
    assert all(" " not in name and 0 < len(name) <= 48 for name in names)


def test_an_alert_waits_for_what_comes_with_it_and_a_critical_one_for_nothing() -> None:
    table = Table()
    table.feed(lost(), killed())

    assert [say.what for say in table.wait(0)] == ["killed"]
    table.wait(1.9, step_s=0.1)
    assert len(table.said) == 1
    table.wait(0.1)
    assert [say.what for say in table.said] == ["killed", "venue:gemini"]


def test_what_is_told_again_edits_its_message_once_in_ten_seconds() -> None:
    table = Table()
    for second in range(37):
        table.feed(limit(at_ns=AT_NS + second * 10**9))
        table.wait(1)

    assert len(table.new_messages()) == 1
    assert len(table.said) == 4
    assert all(say.edits == 1 and say.is_silent for say in table.said[1:])
    assert table.machine.alerts["limit:position_limit"].count == 37


def test_an_end_edits_the_message_and_a_new_firing_is_a_new_message() -> None:
    table = Table()
    table.feed(lost())
    table.wait(20)
    table.feed(back())
    ended = table.wait(20)
    table.feed(lost())
    again = table.wait(20)

    assert [say.edits for say in (*ended, *again)] == [1, None]
    assert table.machine.alerts["venue:gemini"].episode == 2


def test_what_is_over_before_it_was_told_is_one_silent_message() -> None:
    table = Table()
    table.feed(lost(), back())

    (said,) = table.wait(30)

    assert said.edits is None
    assert said.is_silent


def test_a_return_of_which_no_loss_is_known_is_told_all_the_same() -> None:
    table = Table()
    table.feed(back())

    (said,) = table.wait(30)
    assert said.is_silent


def test_the_third_firing_in_ten_minutes_flaps_and_is_told_no_more_until_it_is_calm() -> None:
    table = Table()
    for _ in range(12):
        table.feed(lost())
        table.wait(20)
        table.feed(back())
        table.wait(20)

    alert = table.machine.alerts["venue:gemini"]
    assert alert.is_flapping
    assert alert.state is State.FIRING
    assert len(table.new_messages()) == 2
    table.wait(570)
    assert not alert.is_over
    table.wait(60)
    assert alert.is_over


def test_a_critical_alert_repeats_until_it_is_acknowledged() -> None:
    table = Table()
    table.feed(away())
    table.wait(21 * 60)

    times = [say.mark[2] for say in table.new_messages()]
    assert times == [0, 1, 2, 3, 4, 5]
    assert not any(say.is_silent for say in table.new_messages())
    table.act("ack", "away:ledger")
    table.wait(29 * 60)
    assert len(table.new_messages()) == 6
    assert table.machine.alerts["away:ledger"].acked_by == BY
    table.wait(90)
    assert len(table.new_messages()) == 7, "it is still so half an hour later"
    assert table.machine.alerts["away:ledger"].state is State.FIRING


def test_pages_go_out_from_the_second_repeat_on_and_end_with_the_acknowledgement() -> None:
    table = Table()
    table.feed(away())
    table.wait(119)
    assert table.machine.pages() == []
    table.wait(2)
    (alert,) = table.machine.pages()
    table.machine.paged(alert.fingerprint, pages=alert.pages_due)
    table.wait(200)
    assert len(table.machine.pages()) == 1

    table.act("ack", "away:ledger")

    assert table.machine.pages() == []


def test_what_does_not_reach_the_chat_goes_out_with_the_first_repeat() -> None:
    table = Table(is_chat_away=True)
    table.feed(away())
    table.wait(59)
    assert table.machine.pages() == []

    table.wait(2)

    assert [one.fingerprint for one in table.machine.pages()] == ["away:ledger"]


def test_the_end_of_what_was_paged_is_paged() -> None:
    table = Table()
    table.feed(away())
    table.wait(125)
    table.machine.paged("away:ledger", pages=1)

    table.feed(RoleBack(at_ns=AT_NS, basis=Basis.SANDBOX, role="ledger", away_ms=1))

    assert table.machine.pages()[0].is_over


def test_an_acknowledgement_of_before_stops_no_new_firing() -> None:
    table = Table()
    table.feed(lost())
    table.wait(5)
    table.feed(back())
    table.wait(20)
    table.feed(lost())

    table.act("ack", "venue:gemini")
    old = table.machine.alerts["venue:gemini"]
    old.acked_at_ns, old.state = 0, State.FIRING
    table.now_ns -= MINUTE
    table.act("ack", "venue:gemini")

    assert old.state is State.FIRING


def test_a_latch_that_somebody_set_is_acknowledged_for_as_long_as_it_is_set() -> None:
    table = Table()
    table.feed(killed())
    table.act("ack", "killed")
    table.wait(3_600 * 3, step_s=30)

    assert len(table.new_messages()) == 1
    table.feed(Unkilled(at_ns=AT_NS, basis=Basis.SANDBOX, by="x"))
    table.wait(20)
    assert table.machine.alerts["killed"].is_over


def test_a_kill_that_this_chat_asked_for_is_told_and_not_repeated() -> None:
    table = Table()
    table.feed(killed(), is_own=True)

    assert len(table.wait(900)) == 1


def test_refused_records_stay_until_somebody_saw_them() -> None:
    table = Table()
    table.feed(refused())
    table.wait(3 * 3_600, step_s=30)
    assert not table.machine.alerts["records:refused"].is_over

    table.act("ack", "records:refused")

    assert table.machine.alerts["records:refused"].is_over


def test_a_snoozed_alert_is_silent_and_comes_back_if_it_is_still_so() -> None:
    table = Table()
    table.feed(lost())
    table.wait(5)
    table.act("snooze", "venue:gemini", until_ns=table.now_ns + 60 * MINUTE)
    alert = table.machine.alerts["venue:gemini"]
    assert shown_state(alert, table.machine.terms, now_ns=table.now_ns) is State.SILENCED
    assert [say.edits for say in table.wait(3_500, step_s=10)] == [1]

    assert [say.edits for say in table.wait(120, step_s=10)] == [None]


def test_nothing_silences_what_is_critical() -> None:
    table = Table()
    table.act("quiet", "0-23")
    table.act("mute", "records", until_ns=AT_NS + 10**15)
    table.act("threshold", "records", number=100)
    table.feed(refused(), away())
    table.act("snooze", "records:refused", until_ns=AT_NS + 10**15)

    said = table.wait(60)

    assert {say.what for say in said} == {"records:refused", "away:ledger"}
    assert not any(say.is_silent for say in said)
    assert "kill" not in kinds()


def test_a_muted_kind_is_not_told_and_is_counted_in_the_days_digest() -> None:
    table = Table()
    table.act("mute", "venue", until_ns=AT_NS + 60 * MINUTE)
    table.feed(lost())
    assert table.wait(60) == []
    table.feed(back())
    table.wait(60)

    assert table.machine.day.unshown == {"Venues and chains": 1}
    assert table.machine.day.fired == {"Venues and chains": 1}


def test_a_mute_that_ends_tells_what_is_still_so() -> None:
    table = Table()
    table.act("mute", "venue", until_ns=AT_NS + 60 * MINUTE)
    table.feed(lost())
    table.wait(59 * 60, step_s=20)

    assert len(table.wait(120)) == 1


def test_an_alert_below_its_threshold_is_told_once_it_has_come_often_enough() -> None:
    table = Table()
    table.act("threshold", "limit", number=3)
    table.feed(limit(), limit())
    assert table.wait(60) == []

    table.feed(limit())

    assert len(table.wait(60)) == 1


def test_quiet_hours_take_the_sound_away() -> None:
    table = Table()
    table.act("quiet", "14-16")  # the samples' day begins near 14:13 UTC
    table.feed(limit())
    (quiet,) = table.wait(5)
    table.act("quiet")
    table.feed(lost())
    (loud,) = table.wait(5)

    assert quiet.is_silent
    assert not loud.is_silent


def test_what_follows_from_another_is_told_only_once_that_is_over() -> None:
    table = Table()
    table.feed(away("engine"), lost())
    assert {say.what for say in table.wait(30)} == {"away:engine"}

    table.feed(RoleBack(at_ns=AT_NS, basis=Basis.SANDBOX, role="engine", away_ms=1))

    assert "venue:gemini" in {say.what for say in table.wait(30)}


def test_a_chain_that_is_lost_hides_the_places_on_it() -> None:
    table = Table()
    table.feed(lost("base"), lost("aerodrome@base"))

    assert {say.what for say in table.wait(30)} == {"venue:base"}


def test_three_venues_lost_together_are_one_alert() -> None:
    table = Table()
    table.feed(lost("a"), lost("b"), lost("c"), lost("d"))
    assert [say.what for say in table.wait(8)] == ["network"]

    table.feed(back("a"), back("b"), back("c"))

    said = table.wait(30)
    assert [say.what for say in said if say.edits is None] == ["venue:d"]
    assert table.machine.alerts["network"].is_over


def test_a_storm_is_one_message_that_counts_and_the_critical_stands_by_itself() -> None:
    table = Table()
    for number in range(200):
        # A minute apart by their own time: no three of them are lost together.
        table.feed(lost(f"v{number}", at_ns=AT_NS + number * MINUTE))
        if number == 100:
            table.feed(refused())
        table.wait(0.2, step_s=0.2)
    table.wait(15)

    assert table.machine.storm is not None
    assert table.machine.storm.count == 199
    assert [say.what for say in table.new_messages()] == ["venue:v0", STORM, "records:refused"]


def spread(count: int, *, first: int = 0) -> list[Notice]:
    """Venues that are lost one by one."""
    numbers = range(first, first + count)
    return [lost(f"v{number}", at_ns=AT_NS + number * MINUTE) for number in numbers]


def test_the_eleventh_new_alert_of_a_minute_is_counted_only() -> None:
    table = Table()
    table.feed(*spread(10))
    table.wait(20)
    table.feed(limit())
    table.wait(20)

    new = table.new_messages()
    assert len(new) == 11
    assert new[-1].what == STORM
    assert table.machine.storm is not None
    assert table.machine.storm.left_out == {"Limits reached": 1}


def test_what_a_person_did_is_told_by_itself_in_a_storm_too() -> None:
    table = Table()
    table.feed(*spread(20), killed())
    table.wait(5)
    table.feed(Unkilled(at_ns=AT_NS, basis=Basis.SANDBOX, by="x"))
    table.wait(5)

    assert [say.what for say in table.new_messages()] == ["killed", STORM, "unkilled"]


def test_a_storm_that_is_over_makes_room_for_the_next() -> None:
    table = Table()
    for round_number in range(2):
        table.feed(*spread(15, first=100 * round_number))
        table.wait(180)

    assert sum(say.what == STORM for say in table.new_messages()) == 2


def test_the_daily_digest_comes_at_its_hour_if_there_is_anything_to_tell() -> None:
    table = Table()
    table.wait(36 * 3_600, step_s=600)
    assert table.said == []
    table.feed(limit())
    table.wait(36 * 3_600, step_s=600)

    assert [say.what for say in table.new_messages()] == ["limit:position_limit", DAY]


def test_a_restart_changes_nothing() -> None:
    table = Table()
    table.act("mute", "limit", until_ns=AT_NS + 60 * MINUTE)
    table.act("quiet", "23-7")
    table.feed(away(), lost(), limit())
    table.act("ack", "away:ledger")
    table.wait(60)
    kept = encode(table.machine)

    anew = AlertMachine(zone=table.machine.zone, started_at_ns=table.now_ns)
    adopt(anew, kept)

    assert anew.alerts == table.machine.alerts
    assert anew.terms == table.machine.terms
    assert anew.day == table.machine.day
    assert encode(anew) == kept


def test_what_this_process_knows_already_is_newer_than_what_was_kept() -> None:
    before, now = Table(), Table()
    before.feed(away())
    now.feed(away())

    adopt(now.machine, encode(before.machine))

    assert now.machine.alerts["away:ledger"].episode == 2


def test_what_another_version_kept_is_left_out() -> None:
    table = Table()

    adopt(table.machine, {"alert/x": b'{"fingerprint": 3}', "terms": b"{}"})

    assert table.machine.alerts == {}


def test_severities_of_what_may_cost_money_are_what_the_operator_relies_on() -> None:
    critical = {
        type(notice).__name__
        for notice in samples.all_notices()
        if row_of(notice).severity(notice) is Severity.P1
    }
    assert critical == {"Killed", "KillLeft", "RecordsDropped", "RoleAway"}


def test_a_restart_ends_no_storm() -> None:
    table = Table()
    for number in range(15):
        table.feed(lost(f"v{number}", at_ns=AT_NS + number * MINUTE))
    table.wait(5)
    anew = AlertMachine(zone=table.machine.zone, started_at_ns=table.now_ns)
    adopt(anew, encode(table.machine))
    table.machine = anew

    table.feed(limit())
    table.wait(20)

    assert [say.what for say in table.new_messages()] == [STORM]


def test_a_snooze_holds_for_the_next_firing_of_the_same_thing() -> None:
    table = Table()
    table.feed(lost())
    table.wait(5)
    table.act("snooze", "venue:gemini", until_ns=table.now_ns + 60 * MINUTE)
    table.feed(back())
    table.wait(20)
    table.feed(lost())

    assert [say for say in table.wait(60) if say.edits is None] == []


def test_a_repeat_that_comes_due_while_one_is_on_its_way_is_told() -> None:
    table = Table()
    table.feed(away())
    say = table.machine.next_critical(now_ns=table.now_ns)
    assert say is not None
    table.now_ns += 61 * 10**9
    table.machine.tick(now_ns=table.now_ns)
    table.machine.told(say, message_id=1, now_ns=table.now_ns)

    again = table.machine.next_critical(now_ns=table.now_ns)

    assert again is not None
    assert again.edits is None


def test_repeats_that_were_missed_are_one() -> None:
    table = Table()
    table.feed(away())
    table.wait(0)

    assert len(table.wait(31 * 60, step_s=31 * 60)) == 1
    assert table.wait(5) == []


def _incident(*components: str, at_ns: int = AT_NS) -> IncidentOpened:
    return IncidentOpened(
        at_ns=at_ns,
        basis=Basis.SANDBOX,
        number=7,
        opened_at_ns=AT_NS,
        cause="network",
        weight=Weight.MAJOR,
        components=components,
    )


def _over() -> IncidentEnded:
    return IncidentEnded(
        at_ns=AT_NS, basis=Basis.SANDBOX, number=7, cause="network", components=(), lasted_ms=9
    )


def test_an_incident_is_one_message_that_grows_and_what_it_tells_is_not_told_beside_it() -> None:
    table = Table()
    table.feed(_incident("feed/gemini", "rpc/base/one"), lost("gemini"))
    table.wait(20)
    table.feed(_incident("feed/gemini", "rpc/base/one", "rpc/base/two"), lost("coinbase"))
    table.wait(20)

    assert [say.what for say in table.new_messages()] == ["incident:7", "venue:coinbase"]
    assert any(say.edits == 1 for say in table.said)


def test_what_outlasts_its_incident_is_told_then_and_the_end_of_that_edits_its_message() -> None:
    table = Table()
    table.feed(lost("gemini"), _incident("feed/gemini", "feed/kraken"))
    table.wait(20)
    table.feed(_over())
    table.wait(20)

    assert [say.what for say in table.new_messages()] == ["incident:7", "venue:gemini"]
    assert table.machine.alerts["incident:7"].is_over


def test_of_three_venues_in_an_incident_no_second_alert_is_made() -> None:
    table = Table()
    names = ("gemini", "kraken", "binance")
    table.feed(*(lost(name) for name in names), _incident(*(f"feed/{name}" for name in names)))
    table.wait(60)

    assert [say.what for say in table.new_messages()] == ["incident:7"]
