"""A sample of `approval_campaign`, and that it would notice."""

import pytest

from engine.decide.approvals import Approvals
from engine.decide.permits import Permits
from tests.decide.approval_campaign import play


@pytest.mark.parametrize("seed", [1, 1_000])
def test_no_interleaving_of_taps_carries_out_what_was_not_approved(seed: int) -> None:
    tally = play(taps=400, seed=seed)

    assert tally.failures == []
    assert tally.carried_out > tally.by_mandate > 0
    assert len(tally.ends) >= 6


def test_a_digest_that_is_not_looked_at_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_bounds(self: Permits, plan: object, _approval: object) -> object:
        del self
        return plan

    monkeypatch.setattr(Permits, "by_approval", without_bounds)
    with pytest.raises(Exception, match="nobody has permitted it"):
        play(taps=400, seed=1)


def test_an_approval_that_is_not_used_up_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    expire = Approvals.expire

    def never(self: Approvals, at_ns: int) -> None:
        expire(self, at_ns - 30 * 10**9)

    monkeypatch.setattr(Approvals, "expire", never)
    ends = Approvals.answer

    def late(self: Approvals, approval_id: str, act: object, **said: object) -> object:
        said["at_ns"] = 0
        return ends(self, approval_id, act, **said)  # type: ignore[arg-type]

    monkeypatch.setattr(Approvals, "answer", late)
    late_words = ("outside its time", "nobody had shown it in time")
    failures = play(taps=3_000, seed=1).failures
    assert any(words in one for one in failures for words in late_words)
