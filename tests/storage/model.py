"""An empty ledger of today's schema: to migrate through all revisions takes a while."""

import asyncio
import atexit
import functools
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from engine.storage.database import parse_url
from engine.storage.ledger_settings import LedgerSettings
from engine.storage.migrate import migrate
from engine.wiring.paths import Paths, prepare


@functools.cache
def empty_ledger() -> Path:
    """Return the file, made once per process; where a loop runs, it waits for that."""
    place = Path(tempfile.mkdtemp(prefix="ledger"))
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    settings = LedgerSettings(data_dir=place)
    with ThreadPoolExecutor(1) as beside:
        beside.submit(asyncio.run, migrate("up", settings=settings)).result()
    return Path(parse_url(settings).database or "")


def put_empty_ledger(data_dir: Path) -> None:
    """Put a copy into a data folder that has none."""
    data_dir.mkdir(mode=0o700, exist_ok=True)
    path = data_dir / empty_ledger().name
    if not path.exists():
        shutil.copy(empty_ledger(), path)


def prepared(data_dir: Path, *, bus_url: str | None = None) -> Paths:
    """Prepare a data folder as a start does, with an empty ledger in it."""
    put_empty_ledger(data_dir)
    return prepare(str(data_dir), bus_url=bus_url)
