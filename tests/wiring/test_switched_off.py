"""Venues, pairs and fees are set while the engine runs: at once, stored, replayed, and kept."""

import asyncio
import time
from decimal import Decimal
from pathlib import Path

import pytest

from bot.alert_desk import is_answered
from engine.bus.command import LOOSENS, seal
from engine.bus.notices import FeeChanged, ModeChanged, PlaceSwitched
from engine.bus.place_reports import FeesReport, PlacesReport
from engine.bus.records import Record, StateRecord
from engine.bus.reports import Acknowledged, Declined
from engine.core.inputs.fees_set import FEES_SET
from engine.core.inputs.places_off import PLACES_OFF
from engine.domain.errors import BadValueError, TransientError, UnstoredError
from engine.domain.modes import Mode
from engine.domain.switched_off import PlaceKind
from engine.facade.client import BusFacade
from engine.operate.outbox import Outbox
from engine.operate.recording import EntryKind, read_entries
from engine.requests.fees import GetFees, SetFee
from engine.requests.limits import SetLimit
from engine.requests.overview import GetStatus
from engine.requests.places import GetPlaces, SwitchOff, SwitchOn
from engine.requests.safety import Pause, SetMode
from engine.settings.schema import MarketsSettings, Settings
from engine.tools.replaying import replay
from engine.wiring.one_process import open_roles
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared

pytestmark = pytest.mark.slow

SETTINGS = Settings(markets=MarketsSettings(sandbox_speed=1.0))
VENUE, PAIR = PlaceKind.VENUE, PlaceKind.PAIR


async def switch(
    facade: BusFacade,
    command: SwitchOff | SwitchOn | SetFee | SetLimit | SetMode,
    *,
    at_ns: int | None = None,
) -> Acknowledged | Declined:
    sealed = seal(command, by="me", at_ns=time.time_ns() if at_ns is None else at_ns)
    return await insist(facade, sealed)


async def off(facade: BusFacade) -> tuple[str, ...]:
    return (await insist(facade, GetStatus())).off


async def fees(facade: BusFacade) -> dict[str, Decimal]:
    report = await insist(facade, GetFees())
    assert isinstance(report, FeesReport)
    return {line.venue: line.bps for line in report.fees}


async def set_fees(facade: BusFacade) -> None:
    """Raise one in a step, lower one in two, and try what cannot be."""
    assert (await fees(facade))["gemini"] == 20
    done = await switch(facade, SetFee(venue="Gemini", bps=Decimal("25.5")))
    assert isinstance(done, Acknowledged), done
    assert done.text == "fee gemini 25.5 bps"
    for command, why in (
        (SetFee(venue="gemini", bps=Decimal(24)), "of gemini from 25.5 bps to 24 bps lets more"),
        (SetFee(venue="gemini", bps=None), "from 25.5 bps to that of the settings lets more"),
        (SetFee(venue="gemini", bps=Decimal(-1), is_confirmed=True), "-1 bps; it must be 0"),
        (SetFee(venue="gemin", bps=Decimal(1)), "no venue gemin in this run"),
        (SetFee(venue="uniswap_v3@ethereum", bps=Decimal(1)), "a pool's is read from its chain"),
    ):
        declined = await switch(facade, command)
        assert isinstance(declined, Declined), declined
        assert why in declined.why
    assert (await fees(facade))["gemini"] == Decimal("25.5")
    lower = SetFee(venue="binance", bps=Decimal(8), is_confirmed=True)
    assert isinstance(await switch(facade, lower), Acknowledged)


async def test_off_is_one_step_and_on_is_two_and_both_outlive_a_restart(tmp_path: Path) -> None:
    paths = prepared(tmp_path)
    async with open_roles(SETTINGS, paths) as facade:
        run = (await insist(facade, GetStatus())).run_id
        unknown = await switch(facade, SwitchOff(kind=VENUE, name="binanse"))
        assert isinstance(unknown, Declined)
        assert unknown.nearest == "binance"
        assert "no venue binanse in this run; there are" in unknown.why
        asked_at_ns = time.time_ns()
        for command, text in (
            (SwitchOff(kind=VENUE, name="Binance"), "venue binance off"),
            (SwitchOff(kind=VENUE, name="binance"), "venue binance is off already"),
            (SwitchOff(kind=VENUE, name="uniswap_v3@ethereum"), "venue uniswap_v3@ethereum off"),
            (SwitchOff(kind=PAIR, name="usd-btc"), "pair BTC-USD off"),
            (SwitchOn(kind=VENUE, name="gemini"), "venue gemini is on already"),
        ):
            done = await switch(facade, command)
            assert isinstance(done, Acknowledged), done
            assert done.text == text
        assert await off(facade) == ("binance", "uniswap_v3@ethereum", "BTC-USD")

        on = SwitchOn(kind=VENUE, name="binance", is_confirmed=True)
        once = await switch(facade, SwitchOn(kind=VENUE, name="binance"))
        assert isinstance(once, Declined)
        assert once.needs_confirmation
        stale = await switch(facade, on, at_ns=asked_at_ns)
        assert isinstance(stale, Declined)
        assert "came after this was asked" in stale.why
        assert len(await off(facade)) == 3
        assert isinstance(await switch(facade, on), Acknowledged)
        assert await off(facade) == ("uniswap_v3@ethereum", "BTC-USD")
        await set_fees(facade)
        told = await _told(facade, 6)
    assert [(one.name, one.is_on) for one in told if isinstance(one, PlaceSwitched)] == [
        ("binance", False), ("uniswap_v3@ethereum", False), ("BTC-USD", False), ("binance", True)
    ]  # fmt: skip
    changed = [one for one in told if isinstance(one, FeeChanged)]
    assert [f"{one.venue} {one.before} {one.after}" for one in changed] == [
        "gemini 20 25.5", "binance 10 8"
    ]  # fmt: skip
    assert is_answered(told[0], by="me")
    assert not is_answered(told[0], by="telegram:1")

    lines: list[bytes] = []
    assert replay(paths.recordings / run, lines=lines).first_difference is None
    entries = list(read_entries(paths.recordings / run))
    assert lines == [entry.payload for entry in entries if entry.kind == EntryKind.DECIDED]
    assert sum(entry.kind == PLACES_OFF.number for entry in entries) == 4
    assert sum(entry.kind == FEES_SET.number for entry in entries) == 2

    async with open_roles(SETTINGS, paths) as facade:
        assert await off(facade) == ("uniswap_v3@ethereum", "BTC-USD")
        assert (await fees(facade)).items() >= {"gemini": Decimal("25.5"), "binance": 8}.items()
        report = await insist(facade, GetPlaces(kind=PAIR))
        assert isinstance(report, PlacesReport)
        assert [one.name for one in report.places if one.off_since_ns] == ["BTC-USD"]
        assert len({one.name for one in report.places}) == len(report.places) > 5


async def _told(facade: BusFacade, count: int) -> list[PlaceSwitched | FeeChanged | ModeChanged]:
    found: list[PlaceSwitched | FeeChanged | ModeChanged] = []
    async with asyncio.timeout(PATIENCE_S):
        async for stamped in facade.notices(reader="test"):
            if isinstance(stamped.notice, PlaceSwitched | FeeChanged | ModeChanged):
                found.append(stamped.notice)
                if len(found) == count:
                    break
    return found


async def test_without_the_ledger_off_holds_and_on_does_not_come_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = prepared(tmp_path)
    real_append = Outbox._append
    is_away = is_full = False

    async def append(outbox: Outbox, batch: list[Record]) -> None:
        if is_away:
            raise TransientError("away")
        if is_full and any(isinstance(one, StateRecord) for one in batch):
            raise BadValueError("no room for it")
        await real_append(outbox, batch)

    monkeypatch.setattr(Outbox, "_append", append)
    monkeypatch.setattr("engine.operate.engine_answers.STORED_WITHIN_S", 0.3)
    async with open_roles(SETTINGS, paths) as facade:
        await switch(facade, SwitchOff(kind=VENUE, name="gemini"))
        await switch(facade, SetMode(mode=Mode.PAPER, is_confirmed=True))
        await switch(facade, SetLimit(name="position_usd", value=Decimal(100)))
        is_away = True
        for too_loose in (
            SetMode(mode=Mode.APPROVE, is_confirmed=True, only_tightens=True),
            SetFee(venue="binance", bps=Decimal(1), is_confirmed=True, only_tightens=True),
            SetLimit(
                name="position_usd", value=Decimal(200), is_confirmed=True, only_tightens=True
            ),
        ):
            declined = await facade.ask(seal(too_loose, by="me", at_ns=time.time_ns()))
            assert declined == Declined(why=LOOSENS)
        for looser in (
            SwitchOn(kind=VENUE, name="gemini", is_confirmed=True),
            SetFee(venue="binance", bps=Decimal(1), is_confirmed=True),
        ):
            with pytest.raises(TransientError, match="nothing was changed"):
                await facade.ask(seal(looser, by="me", at_ns=time.time_ns()))
        for tighter in (
            SwitchOff(kind=PAIR, name="ETH-USD"),
            SetFee(venue="binance", bps=Decimal(11), only_tightens=True),
            SetMode(mode=Mode.OBSERVE, only_tightens=True),
        ):
            with pytest.raises(UnstoredError, match="was done but is not yet stored"):
                await facade.ask(seal(tighter, by="me", at_ns=time.time_ns()))
        assert (await fees(facade))["binance"] == 11
        assert (await insist(facade, GetStatus())).mode is Mode.OBSERVE
        with pytest.raises(UnstoredError, match="was done but is not yet stored"):
            await facade.ask(seal(Pause(), by="me", at_ns=time.time_ns()))
        assert await off(facade) == ("gemini", "ETH-USD")
        is_away = False
        async with asyncio.timeout(PATIENCE_S):
            while (await insist(facade, GetStatus())).records_waiting:
                await asyncio.sleep(0.02)
        *_, switched, charged, down, paused = await _told(facade, 6)  # behind what was done
        assert isinstance(switched, PlaceSwitched)
        assert isinstance(charged, FeeChanged)
        assert isinstance(down, ModeChanged)
        assert down.mode is Mode.OBSERVE
        assert isinstance(paused, ModeChanged)
        assert (switched.name, charged.venue, paused.is_paused) == ("ETH-USD", "binance", True)

        is_full = True
        refused = await switch(facade, SwitchOff(kind=PAIR, name="BTC-USD"))
        assert isinstance(refused, Declined)
        assert "holds now but NOT after a restart" in refused.why
        assert await off(facade) == ("gemini", "ETH-USD", "BTC-USD")
        *_, told = await _told(facade, 7)
        assert isinstance(told, PlaceSwitched)
        assert (told.name, told.is_on) == ("BTC-USD", False)
        is_full = False
    async with open_roles(SETTINGS, paths) as facade:
        assert await off(facade) == ("gemini", "ETH-USD")
        assert (await fees(facade))["binance"] == 11
