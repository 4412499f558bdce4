"""A nonce counts once, for whom it was offered, for a short time."""

import pytest

from bot.answer import Confirmation
from bot.confirmations import PENDING_MAX, Confirmations
from engine.bus.command import seal
from engine.requests.safety import Resume

ACTION = Confirmation(action="Resume", command=seal(Resume(), by="test", at_ns=1))


def offer(confirmations: Confirmations, *, now_ns: int = 0) -> str:
    return confirmations.offer(ACTION, by="me", now_ns=now_ns)


def test_a_nonce_counts_once() -> None:
    confirmations = Confirmations(60)
    nonce = offer(confirmations)

    assert confirmations.take(nonce, by="me", now_ns=1) is ACTION
    assert confirmations.take(nonce, by="me", now_ns=1) is None


def test_a_clock_that_is_set_back_keeps_no_second_step_alive() -> None:
    confirmations = Confirmations(60)
    nonce = offer(confirmations, now_ns=28_800_000_000_000)

    assert confirmations.take(nonce, by="me", now_ns=1) is None


@pytest.mark.parametrize("by", ["you", ""])
def test_somebody_elses_attempt_fails_and_uses_nothing_up(by: str) -> None:
    confirmations = Confirmations(60)
    nonce = offer(confirmations)

    assert confirmations.take(nonce, by=by, now_ns=1) is None
    assert confirmations.take(nonce, by="me", now_ns=1) is ACTION


def test_a_nonce_expires_at_its_instant() -> None:
    confirmations = Confirmations(60)
    early, late = offer(confirmations), offer(confirmations)

    assert confirmations.take(early, by="me", now_ns=60_000_000_000 - 1) is ACTION
    assert confirmations.take(late, by="me", now_ns=60_000_000_000) is None


def test_the_oldest_gives_way_when_too_many_wait() -> None:
    confirmations = Confirmations(60)
    nonces = [offer(confirmations) for _ in range(PENDING_MAX + 1)]

    assert len(set(nonces)) == PENDING_MAX + 1
    assert confirmations.take(nonces[0], by="me", now_ns=1) is None
    assert confirmations.take(nonces[1], by="me", now_ns=1) is ACTION


def test_a_nonce_fits_a_button_and_cannot_be_guessed() -> None:
    nonce = offer(Confirmations(60))
    assert len(f"c:{nonce}:y") <= 64
    assert len(nonce) >= 12
