"""What a loosening has to come with, rule by rule."""

from decimal import Decimal
from typing import Any

import pyotp
import pytest

from engine.bus.command import Envelope
from engine.bus.records import CodesUsed, LatchAct, LatchRecord
from engine.bus.reports import Declined
from engine.decide.limit_set import Term
from engine.domain.errors import TransientError
from engine.domain.modes import MODES_UPWARD, Basis, Mode
from engine.operate.codes import Codes
from engine.operate.one_time_code import TRIES_MAX, OneTimeCode
from engine.operate.outbox import Outbox
from engine.operate.step_up import Allowed, StepUp, is_beyond_paper

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
S = 1_000_000_000
NOW_NS = 1_700_000_000 * S
ENVELOPE = Envelope(id="a", by="me", at_ns=NOW_NS, expires_at_ns=None, target="main", digest="")
POSITION = Term(name="position_usd", unit="USD", default=Decimal(1_000))
EDGE = Term(name="net_edge_bps_min", unit="bps", default=Decimal(10), is_floor=True)


class Kept(Outbox):
    """Keeps what is put into it."""

    def __init__(self) -> None:
        super().__init__(_Nobody())
        self.records: list[object] = []

    async def put_durably(self, record: Any, *, timeout_s: float = 5.0) -> None:
        del timeout_s
        self.records.append(record)


class _Nobody:
    async def call(self, request: Any, /, *, timeout_s: float = 5.0) -> Any:
        del request, timeout_s
        raise TransientError("away")


def code_now() -> str:
    return pyotp.TOTP(SECRET).at(NOW_NS // S)


def make(*, has_code: bool, basis: Basis = Basis.LIVE, outbox: Outbox | None = None) -> StepUp:
    one = OneTimeCode(SECRET, CodesUsed()) if has_code else None
    return StepUp(Codes(one, outbox or Kept(), lambda: NOW_NS), basis=basis, delay_s=600)


async def ask(step_up: StepUp, *, code: str | None, is_confirmed: bool = True) -> Any:
    asked = step_up.to_mode(Mode.OBSERVE, Mode.PAPER)
    return await step_up.judge(asked, ENVELOPE, is_confirmed=is_confirmed, code=code)


async def test_without_an_authenticator_paper_takes_a_second_step_and_nothing_else() -> None:
    for basis in Basis:
        step_up = make(has_code=False, basis=basis)
        once = await ask(step_up, code=None, is_confirmed=False)
        assert isinstance(once, Declined)
        assert (once.needs_confirmation, once.needs_code) == (True, False)
        assert await ask(step_up, code=None) == Allowed(None)
        assert isinstance(await ask(step_up, code="123456"), Declined)


async def test_with_an_authenticator_a_second_step_without_a_code_is_none() -> None:
    step_up = make(has_code=True)
    for is_confirmed in (True, False):
        lacks = await ask(step_up, code=None, is_confirmed=is_confirmed)
        assert isinstance(lacks, Declined)
        assert (lacks.needs_confirmation, lacks.needs_code) == (True, True)
    assert isinstance(await ask(step_up, code="000000"), Declined)
    allowed = await ask(step_up, code=code_now())
    assert allowed == Allowed(NOW_NS // S // 30)
    again = await ask(step_up, code=code_now())
    assert isinstance(again, Declined)
    assert "used before" in again.why


async def test_wrong_codes_lock_and_what_they_were_for_is_recorded() -> None:
    outbox = Kept()
    step_up = make(has_code=True, outbox=outbox)
    for _ in range(TRIES_MAX):
        await ask(step_up, code="135791")
    locked = await ask(step_up, code=code_now())

    assert isinstance(locked, Declined)
    assert "too many wrong codes" in locked.why
    assert [(one.act, one.why) for one in outbox.records if isinstance(one, LatchRecord)] == [
        (LatchAct.WRONG_CODE, "mode paper")
    ] * TRIES_MAX
    assert "135791" not in repr(outbox.records)


@pytest.mark.parametrize(
    ("basis", "has_code", "is_offered"),
    [
        (Basis.LIVE, False, False),
        (Basis.LIVE, True, True),
        (Basis.SANDBOX, False, True),
        (Basis.SANDBOX, True, True),
    ],
)
async def test_beyond_paper_on_live_markets_nothing_loosens_without_an_authenticator(
    monkeypatch: pytest.MonkeyPatch, basis: Basis, *, has_code: bool, is_offered: bool
) -> None:
    monkeypatch.setattr("engine.operate.step_up.is_beyond_paper", lambda _mode: True)
    step_up = make(has_code=has_code, basis=basis)
    asks = (
        step_up.to_mode(Mode.OBSERVE, Mode.PAPER),
        step_up.of_limit(EDGE, Decimal(10), Decimal(8), mode=Mode.PAPER),
    )
    for asked in asks:
        lacks = await step_up.judge(asked, ENVELOPE, is_confirmed=False, code=None)
        assert isinstance(lacks, Declined)
        assert lacks.needs_confirmation is is_offered
        assert is_offered or "make enroll" in lacks.why
        if not is_offered:
            sure = await step_up.judge(asked, ENVELOPE, is_confirmed=True, code=None)
            assert isinstance(sure, Declined)


@pytest.mark.parametrize(
    ("term", "held", "wanted", "is_large"),
    [
        (POSITION, "100", "200", False),
        (POSITION, "100", "200.01", True),
        (EDGE, "10", "1", False),
    ],
)
def test_more_than_twice_as_much_money_waits(
    term: Term, held: str, wanted: str, *, is_large: bool
) -> None:
    step_up = make(has_code=True)
    asked = step_up.of_limit(term, Decimal(held), Decimal(wanted), mode=Mode.PAPER)
    assert step_up.waits_ns(asked) == (600 * S if is_large else 0)


def test_a_mode_beyond_paper_waits_and_paper_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    step_up = make(has_code=True)
    for mode in MODES_UPWARD:
        waits = step_up.waits_ns(step_up.to_mode(Mode.OBSERVE, mode)) > 0
        assert waits == is_beyond_paper(mode)
        assert is_beyond_paper(mode) == (mode not in {Mode.OBSERVE, Mode.PAPER})
    monkeypatch.setattr("engine.operate.step_up.is_beyond_paper", lambda _mode: True)
    assert step_up.waits_ns(step_up.to_mode(Mode.OBSERVE, Mode.PAPER)) == 600 * S
