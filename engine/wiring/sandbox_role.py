"""The sandbox role: the local servers, announced in a file for the other roles."""

from engine.operate.lifeline import announce_ready, stop_signals
from engine.sandbox.announce import write_announcement
from engine.sandbox.server import open_sandbox
from engine.sandbox.settings import SandboxSettings
from engine.settings.schema import Settings
from engine.wiring.paths import Paths


async def run_sandbox(settings: Settings, paths: Paths) -> None:
    """Serve the sandbox markets until told to stop."""
    markets = settings.markets
    paths.sandbox_announce.unlink(missing_ok=True)
    own = SandboxSettings(
        port=markets.sandbox_port,
        speed=markets.sandbox_speed,
        seed=settings.paper.seed,
        faults=markets.sandbox_faults,
    )
    async with stop_signals(ignores_interrupt=True) as stop, open_sandbox(own) as sandbox:
        write_announcement(sandbox, paths.sandbox_announce)
        announce_ready()
        await stop.wait()
