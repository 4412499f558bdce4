"""Open the chat, wait for a signal, close in order."""

import asyncio
import os
import sys
from pathlib import Path

from bot.run import run
from engine.facade.commands import FatalError, SyndicateError
from engine.wiring.front_end import FrontEnd, open_front_end


async def main() -> None:
    """Run the chat of this installation until told to stop, or until the person leaves."""
    front_end: FrontEnd
    async with open_front_end(os.environ, directory=Path.cwd()) as front_end:
        await run(front_end.facade, front_end.settings, stop=front_end.stop, clock=front_end.clock)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except SyndicateError as error:
        sys.stderr.write(f"syndicate: {error}\n")
        sys.exit(3 if isinstance(error, FatalError) else 75)
