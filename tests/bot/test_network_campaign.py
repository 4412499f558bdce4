"""A sample of `network_campaign`, and that it would notice."""

import statistics

import pytest

from bot.notices import NoticeFeed
from engine.decide.approvals import Approvals
from tests.bot.network_campaign import play


def test_through_a_bad_network_all_is_told_and_what_was_not_shown_in_time_is_void() -> None:
    result = play(trials=8, seed=1)
    assert result.failures == []
    assert result.shown > result.executed > 0
    assert statistics.median(result.delays_s) < statistics.mean(result.retries_s) + 1


def test_an_engine_that_does_not_look_at_deliveries_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expire = Approvals.expire

    def as_if_shown(self: Approvals, at_ns: int) -> None:
        self._undelivered_until_ns.clear()
        expire(self, at_ns)

    monkeypatch.setattr(Approvals, "expire", as_if_shown)
    monkeypatch.setattr(NoticeFeed, "_tell_shown", lambda *_: None)
    assert any("nobody was shown it" in one for one in play(trials=6, seed=1).failures)
