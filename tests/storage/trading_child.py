"""A process that trades at random into a ledger until it is killed.

Run as `python -m tests.storage.trading_child DIRECTORY SEED`. Prints ``ack N`` when the first N
executions are durable.
"""

import asyncio
import sys
from pathlib import Path

from engine.portfolio.positions import Positions
from engine.storage.ledger import LedgerSettings, open_ledger
from tests.storage.appending_child import tell
from tests.storage.asking import append
from tests.storage.makers import NOW_NS
from tests.storage.random_trades import make_inventory, steps

ENDLESS = 1_000_000


async def run(data_dir: Path, seed: int) -> None:
    async with open_ledger(LedgerSettings(data_dir=data_dir), clock=lambda: NOW_NS) as ledger:
        made = steps(seed, Positions(), make_inventory(), ENDLESS)
        for number, records in enumerate(made, start=1):
            await append(ledger, *records)
            tell(f"ack {number}")


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1]), int(sys.argv[2])))
