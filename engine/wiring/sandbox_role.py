"""The sandbox role: the local servers, announced in a file for the other roles."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from engine.domain.errors import FatalError
from engine.operate.running_role import running_role
from engine.sandbox.announce import announce
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.fault_script import ScriptedFault, make_fault_script
from engine.sandbox.lineup import load_wire_names
from engine.sandbox.server import open_sandbox
from engine.sandbox.settings import SandboxSettings
from engine.settings.schema import Settings
from engine.wiring.local_chains import local_chains
from engine.wiring.local_deployments import redeploy
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths

FAULTS_S: Final = 3_600.0
"""Length of the fault script in replay time; after it the sandbox is faultless."""


async def run_sandbox(settings: Settings, paths: Paths) -> None:
    """Serve the sandbox markets as a process of its own until told to stop.

    Raises:
        FatalError: the port is busy, or a recording is missing or damaged.
    """
    async with running_role() as role, open_markets(settings, paths):
        await role.until_stopped(redeploy(paths, read_announcement(paths).local_chains))


@asynccontextmanager
async def open_markets(settings: Settings, paths: Paths) -> AsyncIterator[None]:
    """Serve the sandbox markets, announced in the data directory, until the block ends.

    Raises:
        FatalError: the port is busy, or a recording is missing or damaged.
    """
    paths.sandbox_announce.unlink(missing_ok=True)
    try:
        async with open_sandbox(_sandbox_settings(settings)) as sandbox:
            announce(str(paths.sandbox_announce), sandbox.announcement())
            yield
    except SandboxStartError as error:
        raise FatalError(f"the sandbox cannot start: {error}") from error


def _sandbox_settings(settings: Settings) -> SandboxSettings:
    markets = settings.markets
    faults: tuple[ScriptedFault, ...] = ()
    if markets.sandbox_faults != "none":
        faults = make_fault_script(
            settings.paper.seed, FAULTS_S, markets.sandbox_faults, wire_names=load_wire_names()
        )
    return SandboxSettings(
        port=markets.sandbox_port,
        speed=markets.sandbox_speed,
        seed=settings.paper.seed,
        faults=faults,
        chains=local_chains(settings),
    )
