"""Alerts fit a phone: twelve lines, and no row of monospace that wraps."""

from bot.alerts.daily import Day
from bot.alerts.storm import Storm
from bot.render.alerts import render_alert, render_alerts, render_day, render_storm
from bot.render.plain import write_plain
from bot.render.screen import Screen
from tests.bot.alerts.makers import MINUTE, Table, away, killed, limit, lost, refused
from tests.bot.samples import AT_NS

TOPICS = {f"A topic with quite a long name {number}": 10_000 * number for number in range(1, 12)}


def busy() -> Table:
    table = Table()
    for number in range(9):
        table.feed(lost(f"a-venue-with-a-long-name-{number}", at_ns=AT_NS + number * MINUTE))
    table.feed(killed(), refused(), away(), limit())
    table.act("ack", "killed")
    table.act("mute", "venue", until_ns=AT_NS + 60 * MINUTE)
    table.act("quiet", "23-7")
    return table


def check(screen: Screen, *, lines_max: int = 12) -> str:
    text = write_plain(screen)
    assert len(text.splitlines()) <= lines_max, text
    return text


def test_each_screen_of_alerts_fits_a_phone() -> None:
    machine, now_ns = busy().machine, AT_NS + MINUTE
    storm = Storm(since_ns=AT_NS, last_at_ns=now_ns, left_out=TOPICS, newest=("a:b",) * 5)
    day = Day(since_ns=AT_NS, fired=TOPICS, told=TOPICS, unshown=TOPICS)

    check(render_storm(storm))
    assert "Others" in check(render_day(day, now_ns=now_ns))
    for alert in machine.alerts.values():
        check(render_alert(alert, now_ns=now_ns), lines_max=8)


def test_what_is_critical_stands_first_and_the_others_are_counted() -> None:
    table = busy()

    screen = render_alerts(table.machine.alerts, table.machine.terms, now_ns=AT_NS + MINUTE)
    text = write_plain(screen)

    lines = text.splitlines()
    assert [line.split()[1] for line in lines[1:7:2]] == [
        "records:refused",
        "away:ledger",
        "killed",
    ]
    assert "more fire." in text
    assert "Muted: venue until" in text
    assert all(len(line) <= 38 for line in lines[1:11])


def test_what_a_day_counts_adds_up_whatever_is_shown() -> None:
    day = Day(since_ns=AT_NS, fired=dict.fromkeys(TOPICS, 1), told=TOPICS)

    (others,) = (
        line.split()
        for line in write_plain(render_day(day, now_ns=AT_NS)).splitlines()
        if "Others" in line
    )

    assert others == ["Others", str(len(TOPICS) - 6), "150,000"]
