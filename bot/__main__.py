"""Open the chat, wait for a signal, close in order.

``python -m bot`` connects to roles that run as processes; ``--one-process`` runs them all in here,
``--terminal`` chats here although a phone is set up.
"""

import asyncio
import os
import sys
from pathlib import Path

from bot.run import run
from engine.domain.errors import FatalError
from engine.domain.redaction import redact
from engine.wiring.front_end import FrontEnd, exit_code_after, open_front_end


async def main(*, is_one_process: bool) -> None:
    """Run the chat of this installation until told to stop, or until the person leaves."""
    is_terminal = "--terminal" in sys.argv[1:]
    opened = open_front_end(os.environ, directory=Path.cwd(), is_terminal=is_terminal)
    if is_one_process:
        from engine.wiring.one_process import open_front_end_with_roles

        opened = open_front_end_with_roles(os.environ, directory=Path.cwd())
    front_end: FrontEnd
    async with opened as front_end:
        try:
            await run(
                front_end.facade,
                front_end.settings,
                stop=front_end.stop,
                clock=front_end.clock,
                news=front_end.news,
            )
        except FatalError as error:
            if not is_one_process:
                raise
            # The engine in here goes on without its chat, as it would in a process of its own.
            sys.stderr.write(f"syndicate: {redact(str(error))}; engine and ledger go on\n")
            await front_end.stop.wait()


if __name__ == "__main__":
    is_one_process = "--one-process" in sys.argv[1:]
    sys.exit(exit_code_after(lambda: asyncio.run(main(is_one_process=is_one_process))))
