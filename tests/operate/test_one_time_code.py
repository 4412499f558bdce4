import pyotp
import pytest

from engine.bus.records import CodesUsed
from engine.operate.one_time_code import (
    LOCKED_LONG_S,
    LOCKED_S,
    STEP_S,
    TRIES_MAX,
    WRONG_MAX,
    OneTimeCode,
)

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
S = 1_000_000_000
AT_NS = 1_700_000_000 * S


def code_at(at_s: int) -> str:
    return pyotp.TOTP(SECRET).at(at_s)


def test_the_current_and_the_last_code_are_taken_and_no_other() -> None:
    now_s = 1_700_000_000
    for age_steps, is_taken in ((0, True), (1, True), (2, False), (-1, False)):
        checker = OneTimeCode(SECRET, CodesUsed())
        code = code_at(now_s - age_steps * STEP_S)
        assert (checker.refusal(code, at_ns=now_s * S) is None) == is_taken


def test_a_code_is_taken_once() -> None:
    checker = OneTimeCode(SECRET, CodesUsed())
    now_s = 1_700_000_000

    assert checker.refusal(code_at(now_s), at_ns=now_s * S) is None
    assert checker.refusal(code_at(now_s), at_ns=now_s * S) is not None
    assert checker.refusal(code_at(now_s - STEP_S), at_ns=now_s * S) is not None


def test_after_some_wrong_codes_even_the_right_one_has_to_wait() -> None:
    checker = OneTimeCode(SECRET, CodesUsed())
    now_s = 1_700_000_000
    for _ in range(TRIES_MAX):
        assert checker.refusal("no", at_ns=now_s * S) is not None

    locked = checker.refusal(code_at(now_s), at_ns=now_s * S)
    later_s = now_s + LOCKED_S + 1

    assert locked is not None
    assert "too many" in locked
    assert checker.refusal(code_at(later_s), at_ns=later_s * S) is None


def test_what_was_tried_holds_for_whoever_continues() -> None:
    now_s = 1_700_000_000
    before = OneTimeCode(SECRET, CodesUsed())
    assert before.refusal(code_at(now_s), at_ns=now_s * S) is None
    assert OneTimeCode(SECRET, before.used).refusal(code_at(now_s), at_ns=now_s * S) is not None

    for _ in range(TRIES_MAX):
        before.refusal("no", at_ns=now_s * S)
    after = OneTimeCode(SECRET, before.used)
    almost_s = now_s + LOCKED_S - 1

    assert "too many" in (after.refusal(code_at(almost_s), at_ns=almost_s * S) or "")
    assert after.refusal(code_at(almost_s + 2), at_ns=(almost_s + 2) * S) is None


@pytest.mark.parametrize("wrong", [1, TRIES_MAX - 1, TRIES_MAX + 1, 2 * TRIES_MAX - 1])
def test_between_two_waits_a_right_code_is_taken(wrong: int) -> None:
    codes = OneTimeCode(SECRET, CodesUsed(wrong=wrong, wrong_at_ns=AT_NS))

    assert codes.refusal(code_at(AT_NS // S), at_ns=AT_NS) is None


@pytest.mark.parametrize("wrong", [TRIES_MAX, 2 * TRIES_MAX])
def test_after_every_so_many_wrong_codes_there_is_a_wait(wrong: int) -> None:
    codes = OneTimeCode(SECRET, CodesUsed(wrong=wrong, wrong_at_ns=AT_NS))

    refusal = codes.refusal(code_at(AT_NS // S), at_ns=AT_NS)

    assert refusal is not None
    assert "too many wrong codes" in refusal


def test_who_guesses_on_gets_five_tries_a_day() -> None:
    codes = OneTimeCode(SECRET, CodesUsed(wrong=WRONG_MAX, wrong_at_ns=AT_NS))
    for later_s, is_locked in ((LOCKED_S + 1, True), (LOCKED_LONG_S - 1, True)):
        refusal = codes.refusal("no", at_ns=AT_NS + later_s * S) or ""
        assert ("too many" in refusal) == is_locked
    day_ns = AT_NS + (LOCKED_LONG_S + 1) * S
    for _ in range(TRIES_MAX):
        assert "too many" not in (codes.refusal("no", at_ns=day_ns) or "")
    assert "too many" in (codes.refusal("no", at_ns=day_ns + LOCKED_S * 2 * S) or "")
