"""Work in a process of its own that ends at once.

A large library costs tens of megabytes and up to a second to import: the chat's process never pays
that, and work that hangs or fails cannot hold it up.
"""

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parent.parent
_KEPT_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")


class ApartError(Exception):
    """The work was not done; the text says why."""


async def run_apart(
    module: str, given: bytes, *, s_max: float, variables: Mapping[str, str] | None = None
) -> bytes:
    """Hand bytes to a module that is run by itself, and return what it writes.

    It is given no secret, for it needs none.

    Raises:
        ApartError: it did not start, failed or took too long.
    """
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    try:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**kept, **(variables or {})},
            cwd=_ROOT,
        )
    except OSError as error:
        raise ApartError(f"its process did not start: {error}") from error
    try:
        async with asyncio.timeout(s_max):
            written, errors = await process.communicate(given)
    except TimeoutError:
        raise ApartError(f"it took longer than {s_max:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0 or not written:
        last = errors.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
        raise ApartError(f"it ended with code {process.returncode}: {last[0]}")
    return written
