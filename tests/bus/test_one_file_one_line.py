"""A request, a chat command and a transport are each one file and one line."""

import asyncio
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from bot import command_table
from bot.console import run_console
from bot.prompt import CommandCompleter
from bot.render.docs import render_docs
from engine.bus import transport_list
from engine.bus.command import seal
from engine.bus.notices import Killed
from engine.bus.reports import KillReport
from engine.bus.unix_socket import open_server
from engine.domain.errors import BadValueError, FatalError, SettingsError
from engine.facade.front_end import FrontEndSettings
from engine.operate.clock import SteadyClock
from engine.requests import request_list
from engine.requests.money import GetTrades
from engine.requests.request_list import requests_of
from engine.requests.safety import Kill
from engine.settings.load import load_settings
from engine.settings.schema import MarketsSettings, Settings
from engine.storage.ledger import open_ledger
from engine.wiring.bus import served
from engine.wiring.engine_role import open_engine
from engine.wiring.front_end import open_facade
from engine.wiring.ledger_role import ledger_settings
from engine.wiring.sandbox_role import open_markets
from tests.bot.pretend_command import BOOKS
from tests.bot.test_console import Screenplay
from tests.bus.pretend_request import GetBooks
from tests.bus.pretend_transport import Rooms
from tests.storage.model import prepared

pytestmark = pytest.mark.slow

SETTINGS = Settings(markets=MarketsSettings(venues=["bitstamp"]))


async def test_a_pretend_request_and_a_pretend_command_reach_the_engine_over_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_list, "REQUESTS", (*request_list.REQUESTS, GetBooks))
    monkeypatch.setattr(command_table, "COMMANDS", (*command_table.COMMANDS, BOOKS))
    paths, clock = prepared(tmp_path), SteadyClock()
    play, stop, broken = Screenplay(), asyncio.Event(), list[FatalError]()
    async with (
        open_markets(SETTINGS, paths),
        open_ledger(ledger_settings(SETTINGS, paths), clock=clock.now_ns) as ledger,
        open_server(paths.ledger_socket, requests_of("ledger"), ledger, on_fatal=broken.append),
        open_facade(paths) as facade,
        open_engine(SETTINGS, paths, facade.ledger, clock=clock) as answers,
        open_server(paths.engine_socket, requests_of("engine"), answers, on_fatal=broken.append),
        asyncio.TaskGroup() as group,
    ):
        settings = FrontEndSettings(is_interactive=False)
        group.create_task(
            run_console(facade, settings, stop=stop, clock=clock.now_ns, terminal=play)
        )
        books = len(answers.core.board.instruments)
        assert books

        await play.type("/books bitstamp", until=f"Books: {books}")
        await play.type("/books", until="<venue> is missing")
        await play.type("/boks bitstamp", until="Did you mean /books")
        await play.type("/help", until="/books")
        await play.type("/help books", until="how many books of a venue")
        stop.set()

    assert not broken
    assert "### `/books <venue>`" in render_docs(command_table.COMMANDS)
    offered = CommandCompleter().get_completions(Document("/bo"), CompleteEvent())
    assert [one.text for one in offered] == ["/books"]


async def test_what_is_on_no_list_is_refused_by_the_role(tmp_path: Path) -> None:
    paths, clock = prepared(tmp_path), SteadyClock()
    async with (
        open_ledger(ledger_settings(SETTINGS, paths), clock=clock.now_ns) as ledger,
        open_server(paths.engine_socket, requests_of("engine"), ledger, on_fatal=lambda _: None),
        open_facade(paths) as facade,
    ):
        with pytest.raises(BadValueError, match="unreadable request"):
            await facade.ask(GetBooks(venue="bitstamp"))


def test_every_request_says_what_it_is_answered_with_and_no_name_stands_twice() -> None:
    names = [one.__name__ for one in request_list.REQUESTS]

    assert len(names) == len(set(names))
    roles = {one.role for one in request_list.REQUESTS}
    assert roles == {"engine", "ledger", "chains", "workers", "signer", "sender", "trader"}


async def test_a_pretend_transport_carries_what_every_role_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "room://here"
    with pytest.raises(SettingsError, match="it must be an address as redis://"):
        load_settings({"SYNDICATE_BUS_URL": url}, directory=tmp_path)

    rooms = Rooms()
    monkeypatch.setattr(transport_list, "TRANSPORTS", (*transport_list.TRANSPORTS, rooms))

    settings = load_settings({"SYNDICATE_BUS_URL": url}, directory=tmp_path)
    paths, clock = prepared(tmp_path, bus_url=settings.bus.url), SteadyClock()
    async with (
        open_ledger(ledger_settings(SETTINGS, paths), clock=clock.now_ns) as ledger,
        served(paths, "ledger", ledger, on_fatal=lambda _: None),
        open_facade(paths) as facade,
    ):
        paths.ledger_socket.unlink()  # nothing is asked over it
        assert (await facade.ask(GetTrades())).trades == []
        notices = facade.notices(reader="test")
        command = seal(Kill(why="test"), by="me", at_ns=clock.now_ns())
        report = await facade.ask(command)
        assert isinstance(report, KillReport)
        assert (report.ledger.is_done, report.engine.is_done) == (True, False)
        assert "the room is empty" in report.engine.text
        told = await anext(notices)
        assert isinstance(told.notice, Killed)
    assert not rooms.served_in
