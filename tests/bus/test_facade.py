"""What the facade answers when one of the roles that it asks is away."""

from pathlib import Path
from typing import Any

import pytest

from engine.bus.memory import MemoryCaller
from engine.bus.reports import Unknown
from engine.bus.request import Caller
from engine.bus.unix_socket import SocketCaller
from engine.domain.errors import TransientError
from engine.facade.client import BusFacade
from engine.facade.doors import Doors, EngineDoor
from engine.operate.kill_latch import KillLatch
from engine.requests.request_list import requests_of
from engine.requests.why import GetWhy


class Forgetful:
    """A role that knows nothing by any name."""

    async def answer(self, request: Any, /) -> Any:
        return Unknown(what=request.ref)


@pytest.mark.parametrize("away", [{"engine"}, {"ledger"}, {"engine", "ledger"}])
async def test_what_a_role_that_is_away_may_know_is_not_called_unknown(
    tmp_path: Path, away: set[str]
) -> None:
    callers: dict[str, Caller] = {
        role: SocketCaller(tmp_path / role, role=role)
        if role in away
        else MemoryCaller(requests_of(role), Forgetful())
        for role in ("engine", "ledger")
    }
    latch = KillLatch(tmp_path)
    doors = Doors("main", EngineDoor(caller=callers["engine"], latch=latch))
    facade = BusFacade(doors, callers["ledger"], latch)

    with pytest.raises(TransientError, match="is away"):
        await facade.ask(GetWhy(ref="xyz-1"))
