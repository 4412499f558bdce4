"""The sandbox's local chains: real ones, in a process of their own that ends with this one.

They are told what the books say once a second, so that their pools follow these.
"""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.assets import AssetCode
from engine.sandbox.errors import SandboxStartError
from engine.sandbox.world.values import LocalChain

log = logging.getLogger(__name__)

TOLD_EVERY_S: Final = 1.0
BUILT_S: Final = 240.0
"""At the first start they are built; on a busy machine that takes a while."""

STOP_S: Final = 10.0
LINE_BYTES_MAX: Final = 1 << 20
FOLLOWED: Final = tuple(map(AssetCode, ("ETH", "WBTC", "BNB", "POL")))

_ROOT: Final = Path(__file__).parents[2]


class _Word(msgspec.Struct):
    """What the process says when it has started."""

    chains: dict[str, LocalChain] = {}
    why_none: str = ""


class Worlds:
    """The process of the local chains; without any it is nothing."""

    def __init__(self, process: asyncio.subprocess.Process | None) -> None:
        self._process = process
        self.chains: Mapping[str, LocalChain] = {}
        self.why_none = ""

    async def read(self) -> None:
        """Wait until they have started; `chains` says which, or `why_none` why there are none."""
        if self._process is None:
            return
        assert self._process.stdout is not None
        try:
            async with asyncio.timeout(BUILT_S):
                word = msgspec.json.decode(await self._process.stdout.readline(), type=_Word)
        except (TimeoutError, ValueError):
            word = _Word(why_none="There is no local chain: its process does not start.")
        self.chains, self.why_none = word.chains, word.why_none
        if word.why_none:
            log.warning(word.why_none)

    async def tell(self, usd: Callable[[AssetCode], float | None]) -> None:
        """Tell them once a second what the books say; cancel to stop.

        Raises:
            SandboxStartError: they have ended.
        """
        if self._process is None or not self.chains:
            return
        assert self._process.stdin is not None
        while self._process.returncode is None:
            said = {str(asset): price for asset in FOLLOWED if (price := usd(asset)) is not None}
            with contextlib.suppress(ConnectionError):
                self._process.stdin.write(msgspec.json.encode(said) + b"\n")
                await self._process.stdin.drain()
            await asyncio.sleep(TOLD_EVERY_S)
        raise SandboxStartError(f"the local chains ended with {self._process.returncode}")


@asynccontextmanager
async def open_worlds(names: Sequence[str], *, seed: int, speed: float) -> AsyncIterator[Worlds]:
    """Start local chains and end them with the block.

    Args:
        names: of the chains to pose as; none starts nothing.
        seed: of what happens on them.
        speed: of their blocks.
    """
    if not names:
        yield Worlds(None)
        return
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "engine.sandbox.world", *names),
        *("--seed", str(seed), "--speed", str(speed)),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=LINE_BYTES_MAX,
        start_new_session=True,
    )
    try:
        yield Worlds(process)
    finally:
        await _stop(process)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Close the pipe to it, at which it ends; it is killed if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
