"""Run an installation: the supervisor with all its roles."""

import asyncio
import contextlib
import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

import msgspec

from engine.bus.lease import Lease, held_lease
from engine.domain.engines import MAIN
from engine.domain.errors import SettingsError
from engine.domain.redaction import redact
from engine.operate.clock import make_clock
from engine.operate.lifeline import ROLES_ENVIRONMENT_NAME, stop_signals
from engine.operate.own_core import set_core_aside
from engine.operate.role_logs import tail_of
from engine.operate.streams import say_last
from engine.operate.supervisor import LEFT_OUT_S, RoleSpec, Supervisor
from engine.settings.load import load_settings
from engine.settings.passing import NO_ORIGINS, ORIGINS_ENVIRONMENT_NAME, role_environment
from engine.settings.schema import Settings
from engine.wiring.bus import caller_to
from engine.wiring.chain_nodes import follows_chains
from engine.wiring.chain_processes import chain_roles
from engine.wiring.followed_chains import FOLLOWED_ENVIRONMENT_NAME, followed_names
from engine.wiring.local_chains import why_no_chains, with_usual_chains
from engine.wiring.markets import basis_of
from engine.wiring.page_terms import told_page
from engine.wiring.paths import Paths
from engine.wiring.role_ends import RoleEnds
from engine.wiring.settings_watch import Adopted, SettingsWatch
from engine.wiring.signing_roles import signing_roles
from engine.wiring.word_key import new_word_key, told_key


def role_specs(
    settings: Settings,
    paths: Paths,
    *,
    has_bot: bool,
    adopted: Adopted | None = None,
    origins: Mapping[str, str] = NO_ORIGINS,
) -> list[RoleSpec]:
    """List the roles in the order in which they start.

    Ledger, chains, workers, sandbox and the phone's chat are run by the supervisor of the engine
    `main`; that of another engine runs beside it, with a chat of its own at a terminal.

    If the engine gets a core of its own, this process leaves it here.

    What `adopted` holds when a role starts goes before the settings; `origins` is shown.

    The times to stop add up to less than a container's or systemd's grace, see `compose.yaml`.
    """
    settings = with_usual_chains(_with_sandbox_port(settings))
    if settings.engine.core == "own":
        set_core_aside(os.environ)
    specs: list[RoleSpec] = []
    is_main = paths.engine_id == MAIN
    taken = adopted or Adopted()
    signing = signing_roles(settings) if is_main else ()
    key = new_word_key() if signing else ""
    if is_main and settings.markets.source == "sandbox":
        specs.append(
            RoleSpec(
                name="sandbox",
                arguments=["-m", "engine", "role", "sandbox"],
                stop_s=1.0,
                log_path=paths.log("sandbox"),
                environment=partial(role_environment, settings, "sandbox", os.environ),
            )
        )
    specs += _ccxt_role(settings, paths)
    if is_main:
        specs.append(
            RoleSpec(
                name="ledger",
                arguments=["-m", "engine", "role", "ledger"],
                stop_s=6.0,
                log_path=paths.log("ledger"),
                lease=paths.lease("ledger"),
                environment=lambda: _told_of_roles(settings, specs),
            )
        )
    if is_main and follows_chains(settings):
        specs += [
            RoleSpec(
                name=name,
                arguments=["-m", "engine", "role", name],
                stop_s=1.0,
                is_vital=False,
                log_path=paths.log(name),
                lease=paths.lease(name),
                environment=partial(role_environment, settings, "chains", os.environ),
            )
            for name in chain_roles(settings)
        ]
    if "signer" in signing:
        specs.append(
            RoleSpec(
                name="signer",
                arguments=["-m", "engine", "role", "signer"],
                stop_s=1.0,
                is_vital=False,
                log_path=paths.log("signer"),
                lease=paths.lease("signer"),
                environment=told_key(
                    partial(role_environment, settings, "signer", os.environ), key
                ),
            )
        )
    if "sender" in signing:
        specs.append(
            RoleSpec(
                name="sender",
                arguments=["-m", "engine", "role", "sender"],
                stop_s=1.0,
                is_vital=False,
                log_path=paths.log("sender"),
                lease=paths.lease("sender"),
                environment=partial(role_environment, settings, "sender", os.environ),
            )
        )
    if "trader" in signing:
        specs.append(
            RoleSpec(
                name="trader",
                arguments=["-m", "engine", "role", "trader"],
                stop_s=1.0,
                is_vital=False,
                log_path=paths.log("trader"),
                lease=paths.lease("trader"),
                environment=partial(role_environment, settings, "trader", os.environ),
            )
        )
    specs.append(
        RoleSpec(
            name="engine",
            arguments=["-m", "engine", "role", "engine"],
            stop_s=4.0,
            hears_news=True,
            ready_s=300.0,  # without a kernel cache the kernels are compiled first
            log_path=paths.log("engine"),
            lease=paths.lease("engine"),
            environment=lambda: _told_of_chains(taken.over(settings), "engine"),
        )
    )
    has_terminal = settings.telegram.bot_token is None
    bot_environment = partial(_bot_environment, settings, origins)
    if has_bot and (is_main or has_terminal):
        specs.append(
            RoleSpec(
                name="bot",
                arguments=["-m", "bot"],
                stop_s=6.0,
                hears_news=True,
                has_terminal=has_terminal,
                ends_all=has_terminal,
                is_vital=has_terminal,
                log_path=None if has_terminal else paths.log("bot"),
                lease=None if has_terminal else paths.lease("bot"),
                environment=told_key(bot_environment, key) if signing else bot_environment,
            )
        )
    if is_main:
        specs += _beside(settings, paths, origins)
    return specs


def _ccxt_role(settings: Settings, paths: Paths) -> list[RoleSpec]:
    """Return the role that has exchanges through ccxt, where there are any."""
    if paths.engine_id != MAIN or not settings.exchanges.ccxt:
        return []
    return [
        RoleSpec(
            name="ccxt",
            arguments=["-m", "engine", "role", "ccxt"],
            stop_s=0.5,  # it has nothing to lose
            is_vital=False,
            log_path=paths.log("ccxt"),
            environment=partial(role_environment, settings, "ccxt", os.environ),
        )
    ]


def _beside(settings: Settings, paths: Paths, origins: Mapping[str, str]) -> Iterator[RoleSpec]:
    """Return the roles that all others can do without."""
    if settings.gateway.is_on:
        yield RoleSpec(
            name="gateway",
            arguments=["-m", "bot.web"],
            stop_s=3.0,
            hears_news=True,
            is_vital=False,
            log_path=paths.log("gateway"),
            lease=paths.lease("gateway"),
            environment=partial(_gateway_environment, settings, origins),
        )
    if settings.workers.is_on:
        yield RoleSpec(
            name="workers",
            arguments=["-m", "engine", "role", "workers"],
            stop_s=1.0,
            is_vital=False,
            log_path=paths.log("workers"),
            lease=paths.lease("workers"),
            environment=partial(_told_of_chains, settings, "workers"),
        )


async def run_installation(
    settings: Settings, paths: Paths, origins: Mapping[str, str] = NO_ORIGINS
) -> int:
    """Run until SIGTERM, Ctrl-C or the end of the terminal chat; returns the exit code."""
    clock = make_clock()
    ledger, engine = caller_to(paths, "ledger"), caller_to(paths, "engine")
    adopted = Adopted()
    specs = role_specs(settings, paths, has_bot=True, adopted=adopted, origins=origins)
    watched = [spec.name for spec in specs] if paths.engine_id == MAIN else []
    ends = RoleEnds(ledger, basis=basis_of(settings), clock=clock, roles=watched)

    def on_restart(role: str, why: str, restarts: int) -> None:
        _say(_last_error(paths, supervisor, role))
        ends.ended(role, why, restarts)

    def on_left_out(role: str) -> None:
        why = _last_error(paths, supervisor, role)
        ends.ended(role, why)
        _say(why)
        _say(
            f"engine and ledger go on without the {role}, which is tried again in"
            f" {LEFT_OUT_S / 60:.0f} minutes; make kill stops trading from here"
        )

    def on_ended(role: str) -> None:
        why = _last_error(paths, supervisor, role)
        ends.ended(role, why)
        supervisor.tell(role, why)
        _say(f"{why}; the others go on, so that you can look: stop, mend it, start again")

    def on_slow(role: str, seconds: float) -> None:
        why = "; after an update or a move it compiles its kernels first, a minute or two"
        _say(f"{role} is not up yet after {seconds:.0f} s{why if role == 'engine' else ''} ...")

    supervisor = Supervisor(
        specs,
        on_restart=on_restart,
        on_left_out=on_left_out,
        on_ended=on_ended,
        on_said=_say,
        on_slow=on_slow,
    )
    with supervisor_lease(paths) as lease:
        async with stop_signals(lease=lease) as stop:
            _say_starting(settings, specs, paths)
            watch = SettingsWatch(
                started=settings,
                adopted=adopted,
                engine=engine,
                engine_id=paths.engine_id,
                environment=os.environ,
                directory=Path.cwd(),
                clock=clock,
            )
            beside = [asyncio.create_task(one) for one in (watch.run(), ends.run())]
            try:
                code = await supervisor.run(stop, on_ready=lambda: _say_ready(settings))
            finally:
                for task in beside:
                    task.cancel()
        await ledger.aclose()
        await engine.aclose()
    if code:
        for name in supervisor.ended_with(code):
            _say(_last_error(paths, supervisor, name))
        _say(f"the logs are {paths.log('*')}")
    return code


def _told_of_chains(settings: Settings, role: str) -> dict[str, str]:
    """Tell a role which chains are followed: where their nodes are is none of its business."""
    names = {FOLLOWED_ENVIRONMENT_NAME: ",".join(followed_names(settings))}
    return role_environment(settings, role, os.environ) | names


def _told_of_roles(settings: Settings, specs: list[RoleSpec]) -> dict[str, str]:
    """Tell the ledger, who watches them, which roles there are; it is asked once all are listed."""
    names = {ROLES_ENVIRONMENT_NAME: ",".join(spec.name for spec in specs)}
    return role_environment(settings, "ledger", os.environ) | names


def _gateway_environment(settings: Settings, origins: Mapping[str, str]) -> dict[str, str]:
    return _with_origins(settings, "gateway", origins) | told_page(settings)


def _with_origins(settings: Settings, role: str, origins: Mapping[str, str]) -> dict[str, str]:
    told = {ORIGINS_ENVIRONMENT_NAME: json.dumps(dict(origins))}
    return _told_of_chains(settings, role) | told


def _bot_environment(settings: Settings, origins: Mapping[str, str]) -> dict[str, str]:
    """Read the settings anew: a bot that was left out for its token may have got another one."""
    with contextlib.suppress(SettingsError):
        telegram = load_settings(os.environ, directory=Path.cwd()).telegram
        settings = msgspec.structs.replace(settings, telegram=telegram)
    return _with_origins(settings, "bot", origins)


def _with_sandbox_port(settings: Settings) -> Settings:
    """Choose the sandbox's port once, so that a restarted sandbox is found where it was."""
    if settings.markets.source != "sandbox" or settings.markets.sandbox_port != 0:
        return settings
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    markets = msgspec.structs.replace(settings.markets, sandbox_port=port)
    return msgspec.structs.replace(settings, markets=markets)


def supervisor_lease(paths: Paths) -> AbstractContextManager[Lease]:
    """Hold the installation for one supervisor; raises `FatalError` if another one holds it."""
    return held_lease(paths.lease("supervisor"), what="supervisor")


def _say_starting(settings: Settings, specs: list[RoleSpec], paths: Paths) -> None:
    if why := why_no_chains(settings):
        _say(why)
    _say(f"starting {', '.join(spec.name for spec in specs)} ... (logs: {paths.log('*')})")


def _say_ready(settings: Settings) -> None:
    _say("all roles are up")
    if settings.operator.totp_secret is None:
        _say("after a kill the chat cannot allow plans again: make enroll sets that up, once")


def _say(text: str) -> None:
    say_last(f"syndicate: {text}\n")


def _last_error(paths: Paths, supervisor: Supervisor, role: str) -> str:
    """Return why a role ended: in its own words, else by the end of its log."""
    words = supervisor.last_words(role)
    with contextlib.suppress(OSError):
        words = words or "\n".join(tail_of(paths.log(role)).splitlines()[-1:])
    return f"{role}: {redact(words.removeprefix('syndicate: ')[:500])}"
