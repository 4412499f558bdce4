"""The HTTP front-end over real sockets of loopback, before an engine made of plain values."""

import contextlib
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.web.api_keys import FILE, ApiKeys
from bot.web.app import Gateway, make_gateway, serve_gateway
from bot.web.connections import BOUNDS, Bounds
from engine.domain.people import Rank
from engine.facade.front_end import FrontEndSettings
from engine.facade.web import WebTerms
from tests.bot.conftest import Clock
from tests.bot.fake_facade import FakeFacade
from tests.bot.web.telegram_signs import page_terms

MadeKeys = tuple[Path, dict[Rank, str]]


@dataclass
class Web:
    """Somebody at the gateway, with a key of each rank."""

    session: aiohttp.ClientSession
    base: str
    gateway: Gateway
    facade: FakeFacade
    clock: Clock
    store: ApiKeys
    keys: dict[Rank, str] = field(default_factory=dict)

    @property
    def port(self) -> int:
        """Return the port of loopback."""
        return int(self.base.rpartition(":")[2])

    def clear_paces(self) -> None:
        """Forget how often somebody asked."""
        self.gateway.guard.rates._windows.storage.reset()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        rank: Rank | None = Rank.ADMIN,
        token: str | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
        raw: bytes | None = None,
    ) -> tuple[int, Any]:
        """Send a request; returns the status and what JSON came."""
        sent = dict(headers or {})
        shown = token if token is not None else None if rank is None else self.keys[rank]
        if shown is not None:
            sent["Authorization"] = f"Bearer {shown}"
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.session.request(
            method, f"{self.base}{path}", headers=sent, json=body, data=raw
        ) as answer:
            self.headers = answer.headers
            if "json" in answer.content_type:
                return answer.status, await answer.json()
            return answer.status, await answer.text()


@pytest.fixture(scope="session")
def made_keys(tmp_path_factory: pytest.TempPathFactory) -> MadeKeys:
    """Make a key of each rank once: their hashes are slow, as they should be."""
    directory = tmp_path_factory.mktemp("keys")
    store = ApiKeys(directory)
    return directory, {rank: store.add(f"a-{rank}", rank, clock=Clock()) for rank in Rank}


@pytest.fixture
async def web(tmp_path: Path, made_keys: MadeKeys) -> AsyncIterator[Web]:
    async with serving(tmp_path, made_keys, FakeFacade()) as made:
        yield made


@contextlib.asynccontextmanager
async def serving(
    directory: Path,
    made_keys: MadeKeys,
    facade: FakeFacade,
    *,
    bounds: Bounds = BOUNDS,
    trusts_proxy: bool = False,
) -> AsyncIterator[Web]:
    """Serve an engine to whoever has one of the keys."""
    clock = Clock()
    shutil.copy2(made_keys[0] / FILE, directory / FILE)
    store = ApiKeys(directory)
    gateway = make_gateway(
        facade,
        FrontEndSettings(),
        WebTerms(port=0, trusts_proxy=trusts_proxy, directory=directory, page=page_terms()),
        clock,
        bounds=bounds,
    )
    async with (
        serve_gateway(gateway, port=0) as port,
        aiohttp.ClientSession() as session,
    ):
        yield Web(
            session=session,
            base=f"http://127.0.0.1:{port}",
            gateway=gateway,
            facade=facade,
            clock=clock,
            store=store,
            keys=made_keys[1],
        )
