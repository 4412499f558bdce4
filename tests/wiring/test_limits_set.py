"""A limit is set while the engine runs: tightened at once, loosened in two steps, kept."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pytest

from bot.alert_desk import is_answered
from bot.render.notices import render_notice
from engine.bus.advice_reports import AdviceTaken
from engine.bus.command import seal
from engine.bus.notices import LimitChanged, StampedNotice
from engine.bus.records import Record
from engine.bus.reports import Acknowledged, Declined, LimitLine, LimitsReport
from engine.core.inputs.advised import ADVISED
from engine.core.inputs.limits_set import LIMITS_SET
from engine.domain.advice import DatedAdvice, PriorityAdvice, ThresholdProposal
from engine.domain.errors import TransientError
from engine.domain.units import NS_PER_S
from engine.facade.client import BusFacade
from engine.operate.outbox import Outbox
from engine.operate.recording import EntryKind, read_entries
from engine.requests.advise import Advise
from engine.requests.audit import GetAudit
from engine.requests.limits import SetLimit
from engine.requests.overview import GetLimits, GetStatus
from engine.requests.safety import Pause, Resume
from engine.requests.settings import AdoptSettings, GetSettings, OfferSettings
from engine.settings.running import running_values
from engine.settings.schema import LimitsSettings, MarketsSettings, Settings
from engine.tools.replaying import replay
from engine.wiring.one_process import open_roles
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared

pytestmark = pytest.mark.slow

SETTINGS = Settings(markets=MarketsSettings(sandbox_speed=1.0))


async def put(
    facade: BusFacade, name: str, value: str, *, confirms: bool = False, at_ns: int | None = None
) -> Acknowledged | Declined:
    command = SetLimit(name=name, value=Decimal(value), is_confirmed=confirms)
    sealed = seal(command, by="me", at_ns=time.time_ns() if at_ns is None else at_ns)
    return await insist(facade, sealed)


async def line(facade: BusFacade, name: str) -> LimitLine:
    report = await insist(facade, GetLimits())
    assert isinstance(report, LimitsReport)
    (found,) = [one for one in report.limits if one.term == name]
    return found


async def test_a_limit_is_tightened_at_once_and_loosened_in_two_steps(tmp_path: Path) -> None:
    async with open_roles(SETTINGS, prepared(tmp_path)) as facade:
        assert (await line(facade, "position_usd")).by_settings == ""
        tightened = await put(facade, "position_usd", "250.5")
        assert isinstance(tightened, Acknowledged)
        assert "position_usd 250.5 USD" in tightened.text
        shown = await line(facade, "position_usd")
        assert (shown.limit, shown.by_settings) == ("250.5", "1000")

        once = await put(facade, "position_usd", "900")
        assert isinstance(once, Declined)
        assert once.needs_confirmation
        assert (await line(facade, "position_usd")).limit == "250.5"
        assert isinstance(await put(facade, "position_usd", "900", confirms=True), Acknowledged)
        assert (await line(facade, "position_usd")).limit == "900"

        for name, value, why in (
            ("position_usd", "1001", "SYNDICATE_LIMITS_POSITION_USD"),
            ("daily_loss_usd", "NaN", "above 0"),
            ("nothing", "1", "no limit nothing; there are age_ms_max"),
        ):
            declined = await put(facade, name, value, confirms=True)
            assert isinstance(declined, Declined)
            assert why in declined.why
            assert not declined.needs_confirmation
        await files_that_change_act_as_a_person_would(facade)


async def files_that_change_act_as_a_person_would(facade: BusFacade) -> None:
    """Read settings anew: tighter at once, looser with a word, wrong or too much not at all."""

    async def offer(trouble: str = "", **values: int) -> Acknowledged | Declined:
        given = running_values(Settings()) | {
            name: Decimal(value) for name, value in values.items()
        }
        offered = OfferSettings(values=given, trouble=trouble, at_next_start=("log.level",))
        return await insist(facade, seal(offered, by="file", at_ns=time.time_ns()))

    assert isinstance(await offer(position_usd=400, orders_per_minute_max=50), Acknowledged)
    assert (await line(facade, "position_usd")).limit == "400"  # tighter than the 900 of before
    waits = await offer(position_usd=700, orders_per_minute_max=40)
    assert isinstance(waits, Declined)
    assert waits.needs_confirmation
    assert (await line(facade, "position_usd")).limit == "400"
    assert (await line(facade, "orders_per_minute_max")).limit == "50"  # all of it, or nothing
    report = await insist(facade, GetSettings())
    assert sorted(report.waits) == [
        "orders_per_minute_max 50 to 40 a minute",
        "position_usd 400 to 700 USD",
    ]
    assert report.at_next_start == ["log.level"]

    now = {"position_usd": 400, "orders_per_minute_max": 50}
    for wrong, said in (
        ({"trouble": "unknown setting"}, "unknown setting"),
        ({"position_usd": 801}, "more than 2 times 400"),
        ({"net_edge_bps_min": 9}, "looser than 10 at the start"),
        ({"daily_loss_usd": 0}, "above 0"),
    ):
        refused = await offer(**(now | wrong))
        assert isinstance(refused, Declined)
        assert said in refused.why
        assert not refused.needs_confirmation
        assert (await insist(facade, GetSettings())).trouble == refused.why
    asked = AdoptSettings(is_confirmed=True)
    nothing = await insist(facade, seal(asked, by="me", at_ns=time.time_ns()))
    assert isinstance(nothing, Acknowledged)
    assert "nothing waits" in nothing.text
    assert (await line(facade, "position_usd")).limit == "400"

    await offer(position_usd=700, orders_per_minute_max=40)
    once = await insist(facade, seal(AdoptSettings(), by="me", at_ns=time.time_ns()))
    assert isinstance(once, Declined)
    assert once.needs_confirmation
    shown_at_ns = time.time_ns()
    await offer(position_usd=750, orders_per_minute_max=40)
    other = await insist(facade, seal(asked, by="me", at_ns=shown_at_ns))
    assert isinstance(other, Declined)
    assert "400 to 750 USD" in other.why
    assert (await line(facade, "position_usd")).limit == "400"
    await offer(position_usd=700, orders_per_minute_max=40)
    done = await insist(facade, seal(asked, by="me", at_ns=time.time_ns()))
    assert isinstance(done, Acknowledged)
    assert (await line(facade, "position_usd")).limit == "700"
    assert (await line(facade, "orders_per_minute_max")).limit == "40"
    assert isinstance(await offer(position_usd=700, orders_per_minute_max=40), Acknowledged)
    (position,) = [
        one for one in (await insist(facade, GetSettings())).settings if one.name == "position_usd"
    ]
    assert position.since_ns
    acts = [one.action for one in (await insist(facade, GetAudit(limit=20))).lines]
    assert sum(one.startswith("settings: ") for one in acts) == 2


def advice(at_ns: int) -> tuple[DatedAdvice, ...]:
    """Return what background work may say: an order, and a limit that nobody sets."""
    said = (
        PriorityAdvice(ratio=0.5),
        ThresholdProposal(term="net_edge_bps_min", value=15.0, why="it pays"),
    )
    until_ns = at_ns + 3_600 * NS_PER_S
    return tuple(DatedAdvice(discovery=1, until_ns=until_ns, advice=one) for one in said)


async def test_what_was_set_holds_after_a_restart_and_is_replayed(tmp_path: Path) -> None:
    paths = prepared(tmp_path)
    async with open_roles(SETTINGS, paths) as facade:
        run = (await insist(facade, GetStatus())).run_id
        assert isinstance(await put(facade, "position_usd", "250"), Acknowledged)
        assert isinstance(await put(facade, "net_edge_bps_min", "12"), Acknowledged)
        assert isinstance(await put(facade, "lag_ms_max", "1500"), Acknowledged)
        read = running_values(Settings()) | {"daily_loss_usd": Decimal(450)}
        offered = seal(OfferSettings(values=read), by="file", at_ns=time.time_ns())
        assert isinstance(await insist(facade, offered), Acknowledged)
        taken = await insist(facade, Advise(advice=advice(time.time_ns())))
        assert isinstance(taken, AdviceTaken)
        assert (taken.in_force, taken.run_id, taken.refused) == (2, run, [])
        await insist(facade, seal(Pause(), by="me", at_ns=time.time_ns()))
    recording = paths.recordings / run
    lines: list[bytes] = []
    assert replay(recording, lines=lines).first_difference is None
    entries = list(read_entries(recording))
    assert lines == [entry.payload for entry in entries if entry.kind == EntryKind.DECIDED]
    said = [LIMITS_SET.decode(one.payload) for one in entries if one.kind == LIMITS_SET.number]
    assert [one.by_settings["daily_loss_usd"] for one in said if one.by_settings] == [450]
    assert b"250" in b"".join(entry.payload for entry in entries if entry.kind == LIMITS_SET.number)
    (advised,) = [entry for entry in entries if entry.kind == ADVISED.number]
    assert len(ADVISED.decode(advised.payload).advice) == 2

    tighter = Settings(markets=SETTINGS.markets, limits=LimitsSettings(position_usd=Decimal(100)))
    async with open_roles(tighter, paths) as facade:
        assert (await line(facade, "position_usd")).limit == "100"
        assert (await line(facade, "net_edge_bps_min")).limit == "12"  # not the 15 proposed
        await insist(facade, seal(Resume(), by="me", at_ns=time.time_ns()))
    async with open_roles(SETTINGS, paths) as facade:
        shown = await line(facade, "position_usd")
        assert (shown.limit, shown.by_settings) == ("250", "1000")
        assert isinstance(await put(facade, "position_usd", "1000", confirms=True), Acknowledged)
    async with open_roles(SETTINGS, paths) as facade:
        assert (await line(facade, "position_usd")).by_settings == ""


async def test_a_change_is_told_to_whoever_did_not_ask_for_it(tmp_path: Path) -> None:
    async with open_roles(SETTINGS, prepared(tmp_path)) as facade:
        await put(facade, "position_usd", "250")
        await put(facade, "position_usd", "900", confirms=True)
        await put(facade, "position_usd", "900")

        told: list[LimitChanged] = []
        async with asyncio.timeout(PATIENCE_S):
            async for stamped in facade.notices(reader="test"):
                if isinstance(stamped.notice, LimitChanged):
                    told.append(stamped.notice)
                    if len(told) == len("xx"):
                        break

    assert [(one.name, int(one.before), int(one.after), one.by) for one in told] == [
        ("position_usd", 1_000, 250, "me"),
        ("position_usd", 250, 900, "me"),
    ]
    (last,) = told[1:]
    stamped = StampedNotice(seq=1, notice=last)
    assert not is_answered(last, by="telegram:1")
    assert is_answered(last, by="me")
    assert "900 USD" in repr(render_notice(stamped))


async def test_what_was_asked_before_a_tightening_loosens_no_limit_after_it(
    tmp_path: Path,
) -> None:
    async with open_roles(SETTINGS, prepared(tmp_path)) as facade:
        await put(facade, "position_usd", "250")
        asked_at_ns = time.time_ns()
        await put(facade, "daily_loss_usd", "100")

        declined = await put(facade, "position_usd", "900", confirms=True, at_ns=asked_at_ns)

        assert isinstance(declined, Declined)
        assert (await line(facade, "position_usd")).limit == "250"


async def test_without_the_ledger_a_tightening_holds_and_a_loosening_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = prepared(tmp_path)
    real_append = Outbox._append
    is_away = False

    async def append(outbox: Outbox, batch: list[Record]) -> None:
        if is_away:
            raise TransientError("away")
        await real_append(outbox, batch)

    monkeypatch.setattr(Outbox, "_append", append)
    monkeypatch.setattr("engine.operate.engine_answers.STORED_WITHIN_S", 0.3)
    looser = SetLimit(name="position_usd", value=Decimal(900), is_confirmed=True)
    tighter = SetLimit(name="daily_loss_usd", value=Decimal(50))
    async with open_roles(SETTINGS, paths) as facade:
        await put(facade, "position_usd", "250")
        is_away = True
        with pytest.raises(TransientError, match="nothing was changed"):
            await facade.ask(seal(looser, by="me", at_ns=time.time_ns()))
        with pytest.raises(TransientError):
            await facade.ask(seal(tighter, by="me", at_ns=time.time_ns()))
        assert (await line(facade, "position_usd")).limit == "250"
        assert (await line(facade, "daily_loss_usd")).limit == "50"
        is_away = False
        async with asyncio.timeout(PATIENCE_S):
            while (await insist(facade, GetStatus())).records_waiting:
                await asyncio.sleep(0.02)
    async with open_roles(SETTINGS, paths) as facade:
        assert (await line(facade, "position_usd")).limit == "250"
        assert (await line(facade, "daily_loss_usd")).limit == "50"
