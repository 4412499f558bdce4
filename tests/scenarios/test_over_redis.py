"""Engine, ledger and bot as processes that ask each other over a Redis server."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.bus.redis_server import PASSWORD, RedisServer, running_redis
from tests.scenarios.rig import ROLES, running_installation
from tests.telegram.emulator import TelegramEmulator

pytestmark = pytest.mark.slow


async def requests_taken(server: RedisServer) -> int:
    async with Redis.from_url(server.url) as client:
        told = await client.info("commandstats")
    return int(told.get("cmdstat_getdel", {"calls": 0})["calls"])


async def test_roles_trade_over_redis_a_kill_does_without_it_and_all_goes_on_when_it_is_back(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    async with (
        TelegramEmulator().serve() as phone,
        running_redis(tmp_path) as server,
        running_installation(data_dir, phone, SYNDICATE_BUS_URL=server.url) as installation,
    ):
        await installation.until_live()
        await installation.go_to_paper()
        await installation.until_trade_told()
        before = len((await installation.trades()).trades)
        assert before
        assert await requests_taken(server) > 20, "requests went over sockets"

        await server.kill()
        phone.person_writes("/status")
        await installation.until_told("the bus at unix://")
        await installation.say("KILL", "was signalled to hold every plan")
        status = await installation.until_status(lambda status: status.is_killed)
        assert status.planned

        await server.start()
        await installation.say_until("/trades", "Trades")
        assert len((await installation.trades()).trades) >= before

    said = "".join((data_dir / "logs" / f"{role}.log").read_text() for role in ROLES)
    said += "".join(phone.transcript())
    assert PASSWORD not in said
