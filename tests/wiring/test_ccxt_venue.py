"""An exchange through ccxt in a run: by a setting alone it is a venue like any other, on paper."""

import asyncio
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from bot.render.overview import render_venues
from bot.render.plain import write_plain
from engine.bus.reports import VenueLine
from engine.requests.overview import GetVenues
from engine.settings.schema import ExchangesSettings, MarketsSettings, Settings
from engine.wiring.live_trading import traded_venues
from engine.wiring.one_process import open_roles
from engine.wiring.paths import Paths
from engine.wiring.run import role_specs
from tests.patience import PATIENCE_S, insist
from tests.storage.model import prepared

SETTINGS = Settings(
    markets=MarketsSettings(venues=["bitstamp"]), exchanges=ExchangesSettings(ccxt=["bitstamp"])
)


@pytest.mark.slow
async def test_a_name_in_the_settings_is_a_venue_on_the_phone(tmp_path: Path) -> None:
    async with open_roles(SETTINGS, prepared(tmp_path)) as facade:

        async def venues() -> dict[str, VenueLine]:
            return {one.venue: one for one in (await insist(facade, GetVenues())).venues}

        async with asyncio.timeout(PATIENCE_S):
            while not (found := await venues())["ccxt-bitstamp"].books_live:
                await asyncio.sleep(0.05)
        shown = write_plain(render_venues(await facade.ask(GetVenues())))

    assert found["ccxt-bitstamp"].is_connected
    assert found["ccxt-bitstamp"].books == found["bitstamp"].books
    assert "ccxt-bitstamp" in shown


def test_nothing_is_ever_traded_at_a_venue_through_ccxt() -> None:
    for named in ([], ["bitstamp", "ccxt-bitstamp"]):
        own = replace(SETTINGS.exchanges, trades="sandbox", venues=named)

        assert set(traded_venues(replace(SETTINGS, exchanges=own))) == {"bitstamp"}


def test_the_role_is_there_only_for_who_names_an_exchange(tmp_path: Path) -> None:
    def roles(settings: Settings) -> list[str]:
        return [one.name for one in role_specs(settings, Paths(tmp_path), has_bot=True)]

    assert "ccxt" not in roles(replace(SETTINGS, exchanges=ExchangesSettings()))
    names = roles(SETTINGS)
    assert names.index("sandbox") < names.index("ccxt") < names.index("engine")


def test_ccxt_is_loaded_by_its_role_alone() -> None:
    """By what each file imports as it is loaded; what is inside a function is not."""
    root = Path(__file__).parents[2]
    loading: dict[str, set[str]] = {"ccxt": set(), "by_ccxt.exchange": set(), "ccxt_role": set()}
    for path in (*(root / "engine").rglob("*.py"), *(root / "bot").rglob("*.py")):
        for line in path.read_text().splitlines():
            if (found := re.match(r"(?:import|from) (\S+)", line)) is None:
                continue
            name = found.group(1)
            if name.partition(".")[0] == "ccxt":
                loading["ccxt"].add(path.name)
            elif name.endswith(("by_ccxt.exchange", "by_ccxt.server")):
                loading["by_ccxt.exchange"].add(path.name)
            elif name.endswith("wiring.ccxt_role"):
                loading["ccxt_role"].add(path.name)

    assert loading == {
        "ccxt": {"exchange.py"},
        "by_ccxt.exchange": {"server.py", "ccxt_role.py"},
        "ccxt_role": set(),
    }
