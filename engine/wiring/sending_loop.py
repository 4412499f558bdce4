"""A chain's desk at work: each block is heard of, got ready for, and stepped through."""

import asyncio
import contextlib
import logging
from contextlib import aclosing
from typing import Final

from engine.chains.gas.reader import GasReader
from engine.chains.ports import Node, NodeError, Topic
from engine.domain.errors import BadValueError, TransientError
from engine.sending.calls import parse_head
from engine.sending.desk import ChainDesk
from engine.sending.warming import WarmSimulator
from engine.wiring.sender_answers import SenderAnswers

log = logging.getLogger(__name__)

RETRY_S: Final = 0.5


async def hear_blocks(
    node: Node, desk: ChainDesk, simulate: WarmSimulator, answers: SenderAnswers
) -> None:
    """Read what simulations want of each block as it is told of, then have it looked at."""
    while True:
        try:
            async with aclosing(node.subscribe(Topic.HEADS)) as heads:
                async for word in heads:
                    head = parse_head(word, None)
                    desk.hear(head.hash, head)
                    await simulate.ready(head)
                    answers.handed.set()
        except (NodeError, BadValueError) as error:
            log.info("blocks are asked for, as nobody tells of them: %s", error)
        finally:
            desk.hear("")
        await asyncio.sleep(RETRY_S)


async def begin_what_comes(desk: ChainDesk, answers: SenderAnswers) -> None:
    """Begin what is handed over, whatever is asked of nodes for other things meanwhile.

    Raises:
        FatalError: the table cannot be written.
    """
    came = answers.came[desk.terms.chain]
    while True:
        await came.wait()
        came.clear()
        try:
            await desk.begin_at_once()
        except (TransientError, NodeError) as error:  # the next step tries it again
            log.warning("%s: %s", desk.terms.chain, error)


async def run_desk(
    desk: ChainDesk,
    gas: GasReader,
    simulate: WarmSimulator,
    answers: SenderAnswers,
    *,
    look_s: float,
) -> None:
    """Bring a chain's transactions on for ever: when handed a plan, else every `look_s`.

    Raises:
        FatalError: the table cannot be written.
    """
    last = 0
    while True:
        answers.handed.clear()
        try:
            await desk.begin_at_once()
            head = await desk.step()
            answers.stepped.set()
            if head.number != last:
                desk.terms.learn(await gas.read(), gas.model)
                last = head.number
                await simulate.ready(head)
                await desk.begin_at_once()
            await simulate.learn(head)
        except (TransientError, NodeError) as error:
            log.warning("%s: %s", desk.terms.chain, error)
            await asyncio.sleep(RETRY_S)
            continue
        if not answers.handed.is_set() and not answers.table.open_lives():
            answers.table.file.tidy()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(look_s):
                await answers.handed.wait()
