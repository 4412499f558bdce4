"""A process that appends to a ledger and prints what was acknowledged, until it is killed.

Run as `python -m tests.storage.appending_child DIRECTORY FIRST_NUMBER COUNT`. Prints ``ready``
when the ledger is open and ``ack N`` when everything of number N is durable. Exits 3 with the
sentence on standard error when the ledger fails.
"""

import argparse
import asyncio
import os
import resource
import sys
import time
from pathlib import Path

from engine.bus.records import Append
from engine.domain.errors import SyndicateError
from engine.requests.chat import PutInbox
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage import makers

FAILED = 3
BACKUP_EVERY = 12
NOBODY = 65_534


def tell(text: str) -> None:
    """Write at once, so that a kill cannot swallow what was acknowledged."""
    os.write(1, f"{text}\n".encode())


async def run(data_dir: Path, first: int, count: int) -> None:
    settings = LedgerSettings(data_dir=data_dir, backups_kept=3)
    async with open_ledger(settings, clock=time.time_ns) as ledger:
        tell("ready")
        for number in range(first, first + count):
            await ledger.answer(PutInbox(source="chat", updates=[(number, b"update")]))
            await ledger.answer(
                Append(
                    records=[
                        makers.make_opportunity_record(number=number),
                        makers.make_execution_record(number=number),
                        makers.make_state_record(number=number),
                        makers.make_notice_record(number=number),
                    ]
                )
            )
            tell(f"ack {number}")
            if number % BACKUP_EVERY == 0:
                await ledger.backup()
        if not count:
            await asyncio.Event().wait()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("first", type=int)
    parser.add_argument("count", type=int, help="0 to hold the ledger open")
    parser.add_argument("--file-bytes-max", type=int, help="largest file the system lets it write")
    parser.add_argument("--as-nobody", action="store_true", help="give up the root user's rights")
    chosen = parser.parse_args()
    if chosen.file_bytes_max:
        hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (chosen.file_bytes_max, hard))
    if chosen.as_nobody and os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    try:
        asyncio.run(run(chosen.data_dir, chosen.first, chosen.count))
    except SyndicateError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
