import asyncio

import pytest

from engine.domain.errors import FatalError, TransientError
from engine.operate.beside import running_beside
from engine.operate.running_role import RunningRole, running_role
from tests.patience import PATIENCE_S


async def _for_ever(ended: list[str]) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.append("beside")


async def _fail(error: Exception) -> None:
    raise error


async def _break(role: RunningRole) -> None:
    role.on_fatal(FatalError("the first"))
    role.on_fatal(FatalError("the second"))


async def test_what_runs_beside_a_block_ends_with_it() -> None:
    ended: list[str] = []

    async with asyncio.timeout(PATIENCE_S), running_beside() as run:
        run(_for_ever(ended))
        await asyncio.sleep(0)

    assert ended == ["beside"]


async def test_a_block_ends_with_the_first_that_fails_and_tells_the_worst() -> None:
    ended: list[str] = []

    async def block() -> None:
        async with asyncio.timeout(PATIENCE_S), running_beside() as run:
            run(_fail(TransientError("a node")), _fail(FatalError("the disk")), _for_ever(ended))
            await asyncio.Event().wait()

    with pytest.raises(FatalError, match="the disk"):
        await block()

    assert ended == ["beside"]


async def test_a_role_ends_by_the_first_fatal_error_once_all_is_closed() -> None:
    ended: list[str] = []

    async def block() -> None:
        async with asyncio.timeout(PATIENCE_S), running_role() as role:
            await role.until_stopped(_break(role), _for_ever(ended))
            ended.append("closed")

    with pytest.raises(FatalError, match="the first"):
        await block()

    assert ended == ["beside", "closed"]


async def test_a_role_that_is_told_to_stop_ends_in_order() -> None:
    async with asyncio.timeout(PATIENCE_S), running_role() as role:
        role.stop.set()
        await role.until_stopped()

    assert role.broken is None
