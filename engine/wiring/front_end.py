"""Connect a front-end: the facade over the sockets, and the settings it may know."""

import asyncio
import contextlib
import os
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import msgspec
import psutil

from engine.bus.lease import held_lease
from engine.bus.transport import RoleCaller
from engine.bus.unix_socket import SocketCaller
from engine.bus.witness import NO_WITNESS
from engine.domain.errors import TransientError
from engine.domain.network import proxy_for
from engine.domain.redaction import redact, remember_secrets
from engine.facade.client import BusFacade
from engine.facade.doors import Doors, EngineDoor
from engine.facade.engine import Facade
from engine.facade.front_end import FrontEndSettings, SettingInForce
from engine.facade.news import RoleEnded
from engine.facade.web import WebTerms
from engine.facade.witness import ChatWitness
from engine.operate.clock import Clock, make_clock
from engine.operate.ease import Ease
from engine.operate.endings import exit_code_after
from engine.operate.kill_signal import signal_engine
from engine.operate.lifeline import stop_signals
from engine.operate.logs import set_up_logs
from engine.operate.role_words import announce_ready, say_at_terminal
from engine.operate.streams import say_last
from engine.requests.money import GetEngineIds
from engine.settings.load import load_settings
from engine.settings.passing import is_set, origins_of, text_of
from engine.settings.schema import (
    SECRETS,
    UNSHOWN,
    AlertSettings,
    PingSettings,
    Settings,
    TelegramSettings,
)
from engine.signing.guards import not_dumpable
from engine.wiring.bus import caller_to
from engine.wiring.chain_processes import caller_of_chains, chain_roles
from engine.wiring.newest_log import read_newest
from engine.wiring.page_terms import page_terms, people_of
from engine.wiring.paths import Paths, prepare
from engine.wiring.signing_roles import signing_roles
from engine.wiring.word_key import word_key

LEDGER_LOOK_S: Final = 0.3

_UNKNOWN_ORIGIN: Final = "the environment"

CARD_S: Final = 5.0
"""Telegram lets a chat be written to once a second; of that the card takes a fifth at most."""

__all__ = ["FrontEnd", "exit_code_after", "open_facade", "open_front_end"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontEnd:
    """What a front-end process gets."""

    facade: Facade
    settings: FrontEndSettings
    stop: asyncio.Event
    clock: Clock
    news: "asyncio.Queue[RoleEnded]" = field(default_factory=asyncio.Queue)


@contextlib.asynccontextmanager
async def open_front_end(
    environment: Mapping[str, str], *, directory: Path, is_terminal: bool = False
) -> AsyncIterator[FrontEnd]:
    """Load the settings and connect a front-end process; announces readiness to the supervisor.

    With `is_terminal` it is a terminal's, whatever is set up for a phone; what goes out by other
    ways is left to the chat that the supervisor runs.
    """
    settings = load_settings(environment, directory=directory)
    if is_terminal:
        settings = msgspec.structs.replace(
            settings, telegram=TelegramSettings(), alert=AlertSettings(), ping=PingSettings()
        )
    set_up_logging(settings)
    paths = prepare(settings.data.dir, bus_url=settings.bus.url, engine_id=settings.engine.id)
    news: asyncio.Queue[RoleEnded] = asyncio.Queue()
    roles = chain_roles(settings)
    signing = signing_roles(settings)
    callers = _callers(paths, roles, signing)
    key = word_key(environment)
    if key is not None:
        not_dumpable()

    def hear(role: str, why: str) -> None:
        if role in callers:
            callers[role].ended = why
        news.put_nowait(RoleEnded(role, why))

    # Terminals may be several; a phone's updates are for one process.
    is_one = settings.telegram.bot_token is not None
    held = held_lease(paths.lease("bot"), what="bot") if is_one else contextlib.nullcontext()
    with held as lease:
        async with (
            stop_signals(on_news=hear, lease=lease) as stop,
            _facade(paths, callers, roles, key=key, signs=bool(signing)) as facade,
            open_door_of(settings, paths, facade, is_terminal=is_terminal),
        ):
            announce_ready()
            yield FrontEnd(
                facade=facade,
                settings=front_end_settings(settings, paths),
                stop=stop,
                clock=make_clock(),
                news=news,
            )


@contextlib.asynccontextmanager
async def open_door_of(
    settings: Settings, paths: Paths, facade: Facade, *, is_terminal: bool
) -> AsyncIterator[None]:
    """Listen for kills by HTTP where a secret is set; a terminal beside the phone does not."""
    secret = settings.door.kill_secret
    if secret is None or is_terminal:
        yield
        return
    from engine.facade.kill_door import open_kill_door  # noqa: PLC0415 - 9 MB that few need

    async with open_kill_door(
        facade, secret=secret, port=settings.door.kill_port, directory=paths.data_dir
    ):
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedGateway:
    """What the HTTP front-end's process gets.

    Attributes:
        on_ready: told the address at which it answers.
    """

    front_end: FrontEnd
    terms: WebTerms
    on_ready: Callable[[str], None]


@contextlib.asynccontextmanager
async def open_gateway(
    environment: Mapping[str, str], *, directory: Path
) -> AsyncIterator[OpenedGateway]:
    """Connect the role `gateway`: it knows no secret of the phone, and the signer not its word."""
    settings = load_settings(environment, directory=directory)
    page = page_terms(environment, age_s_max=settings.gateway.opened_s_max)
    set_up_logs(level=settings.log.level, form=settings.log.form)
    paths = prepare(settings.data.dir, bus_url=settings.bus.url, engine_id=settings.engine.id)
    roles = chain_roles(settings)
    signing = signing_roles(settings)
    callers = _callers(paths, roles, signing)
    news: asyncio.Queue[RoleEnded] = asyncio.Queue()

    def hear(role: str, why: str) -> None:
        if role in callers:
            callers[role].ended = why

    def tell(address: str) -> None:
        announce_ready()
        page = settings.gateway.page_url or f"{address}/app"
        say_at_terminal(f"the gateway answers at {address}; its page: {page}")

    with held_lease(paths.lease("gateway"), what="gateway") as lease:
        async with (
            stop_signals(on_news=hear, lease=lease) as stop,
            _facade(paths, callers, roles, signs=bool(signing)) as facade,
        ):
            yield OpenedGateway(
                front_end=FrontEnd(
                    facade=facade,
                    settings=front_end_settings(settings, paths),
                    stop=stop,
                    clock=make_clock(),
                    news=news,
                ),
                terms=WebTerms(
                    port=settings.gateway.port,
                    trusts_proxy=settings.gateway.trusts_proxy,
                    directory=paths.gateway,
                    hook_keep_days=settings.gateway.hook_keep_days,
                    page=page,
                ),
                on_ready=tell,
            )


def gateway_directory(environment: Mapping[str, str], *, directory: Path) -> Path:
    """Return where the gateway keeps the hashes of its keys."""
    settings = load_settings(environment, directory=directory)
    return prepare(
        settings.data.dir, bus_url=settings.bus.url, engine_id=settings.engine.id
    ).gateway


def set_up_logging(settings: Settings) -> None:
    """Log to the role's file; beside a terminal chat, say errors only."""
    level = settings.log.level if settings.telegram.bot_token else "error"
    set_up_logs(level=level, form=settings.log.form)


@contextlib.asynccontextmanager
async def open_facade(paths: Paths, settings: Settings | None = None) -> AsyncIterator[BusFacade]:
    """Connect to the roles of an installation; they may come and go meanwhile.

    The settings say which processes follow chains; without them it is one.
    """
    roles = chain_roles(settings or Settings())
    async with _facade(
        paths, _callers(paths, roles, ("signer", "sender", "trader")), roles
    ) as facade:
        yield facade


async def check_runs(paths: Paths) -> None:
    """Make sure that engine or ledger can be asked at all.

    Raises:
        TransientError: nothing runs on this data.
    """
    if paths.bus_url is not None:
        return  # they may run on any machine; asking tells
    for path in (paths.engine_socket, paths.ledger_socket):
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_unix_connection(path)
            writer.close()
            return
    raise TransientError(
        f"nothing runs here (data in {paths.data_dir}): start it with `make run`; if it should "
        f"run, {paths.log('*')} say why it does not"
    )


def _callers(paths: Paths, chains: Iterable[str], signing: Iterable[str]) -> dict[str, RoleCaller]:
    callers = {role: caller_to(paths, role) for role in ("engine", "ledger", "workers", *chains)}
    # These answer on their sockets of this machine, whatever carries the bus.
    return callers | {role: SocketCaller(paths.socket(role), role=role) for role in signing}


@contextlib.asynccontextmanager
async def _facade(
    paths: Paths,
    callers: Mapping[str, RoleCaller],
    roles: Mapping[str, Sequence[str]],
    *,
    key: bytes | None = None,
    signs: bool = False,
) -> AsyncIterator[BusFacade]:
    opened = list(callers.values())

    def open_door(engine_id: str) -> EngineDoor:
        own = paths.of(engine_id)
        opened.append(caller_to(own, "engine"))
        return _door(own, opened[-1])

    async def read_ids() -> list[str]:
        """Look in the folder; over Redis, ask which engines of other hosts keep their books too."""
        found = set(await asyncio.to_thread(paths.engine_ids))
        if paths.bus_url is not None:
            with contextlib.suppress(TransientError):
                report = await callers["ledger"].call(GetEngineIds(), timeout_s=LEDGER_LOOK_S)
                found.update(report.engine_ids)
        return sorted(found)

    try:
        yield BusFacade(
            Doors(
                paths.engine_id,
                _door(paths, callers["engine"]),
                read_ids=read_ids,
                open_door=open_door,
            ),
            callers["ledger"],
            paths.latches().of_all,
            chains=caller_of_chains(callers, roles),
            workers=callers["workers"],
            signer=callers.get("signer"),
            sender=callers.get("sender"),
            trader=callers.get("trader"),
            witness=ChatWitness(callers["signer"], key, make_clock()) if signs else NO_WITNESS,
        )
    finally:
        for caller in opened:
            await caller.aclose()


def _door(paths: Paths, caller: RoleCaller) -> EngineDoor:
    socket = paths.engine_socket
    return EngineDoor(
        caller=caller,
        latch=paths.latches().own,
        signal=lambda is_of_all: signal_engine(socket, is_of_all=is_of_all),
    )


def front_end_settings(settings: Settings, paths: Paths) -> FrontEndSettings:
    """Translate the installation's settings for a front-end."""
    telegram = settings.telegram
    charts: Path = paths.data_dir / "charts"
    return FrontEndSettings(
        engine_id=settings.engine.id,
        read_engine_ids=paths.engine_ids,
        telegram_token=telegram.bot_token,
        telegram_people=people_of(telegram),
        telegram_base_url=telegram.base_url,
        telegram_pager_token=telegram.pager_token,
        telegram_webhook_url=telegram.webhook_url,
        telegram_webhook_port=telegram.webhook_port,
        page_url=settings.gateway.page_url if settings.gateway.is_on else None,
        blind_s=settings.approvals.blind_s,
        blind_pause_s=telegram.blind_pause_s,
        telegram_proxy=proxy_for(telegram.base_url, settings.network.proxy),
        alert_urls=_urls(settings.alert.urls),
        ping_url=settings.ping.url,
        outside_proxy=settings.network.proxy,
        time_zone=settings.operator.time_zone,
        read_memory_mb=read_memory_mb,
        read_log=partial(read_newest, paths.log("bot").parent),
        tell_terminal=_tell_terminal,
        has_authenticator=is_set(settings, "operator", "totp_secret", os.environ),
        opportunity_notice_usd_min=telegram.opportunity_usd_min,
        is_interactive=sys.stdin.isatty(),
        export_directory=paths.exports,
        history_path=paths.data_dir / "history",
        chart_directory=charts,
        chart_cache_directory=charts / "fonts",
        chart_theme=settings.operator.chart_theme,
        card_s=CARD_S if telegram.has_card else None,
        eased=Ease().eased,
        in_force=tuple(in_force(settings, os.environ)),
    )


def in_force(settings: Settings, environment: Mapping[str, str]) -> Iterator[SettingInForce]:
    """Return all settings as they may be shown."""
    defaults, origins = Settings(), origins_of(environment)
    for section, annotation in Settings.__annotations__.items():
        for name in annotation.__annotations__:
            value = getattr(getattr(settings, section), name)
            is_hidden = (section, name) in UNSHOWN
            is_default = value == getattr(getattr(defaults, section), name)
            if (section, name) in SECRETS:
                is_default = not is_set(settings, section, name, environment)
            shown = "not set" if is_default else "set" if is_hidden else ""
            yield SettingInForce(
                section=section,
                name=name,
                value=shown if is_hidden else redact(text_of(value)) or "none",
                is_default=is_default,
                origin=origins.get(f"{section}.{name}", "" if is_default else _UNKNOWN_ORIGIN),
            )


def _urls(text: str | None) -> tuple[str, ...]:
    """Split addresses, each of which is a secret by itself."""
    urls = () if text is None else tuple(re.split(r"[\s,]+", text.strip()))
    remember_secrets(urls)
    return urls


def _tell_terminal(line: str) -> None:
    if not say_at_terminal(line):
        say_last(f"syndicate: {line}\n")


def read_memory_mb() -> dict[str, float]:
    """Return the resident memory of this installation's roles: children of one supervisor."""
    found = {}
    parent = psutil.Process().parent()
    for process in [] if parent is None else parent.children():
        with contextlib.suppress(psutil.Error):
            match process.cmdline()[1:]:
                case [*_, "-m", "engine", "role", name]:
                    found[name] = _resident_mb(process)
                case [*_, "-m", "bot"]:
                    found["bot"] = _resident_mb(process)
                case [*_, "-m", "bot.web"]:
                    found["gateway"] = _resident_mb(process)
    return found


def _resident_mb(process: psutil.Process) -> float:
    return round(process.memory_info().rss / 1_048_576, 1)
