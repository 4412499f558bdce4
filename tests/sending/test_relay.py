"""By a relay a route is seen by nobody before its block, and is paid for only where it earns."""

import aiohttp
import pytest

from engine.domain.errors import TransientError
from engine.domain.told import Fate
from engine.sending.desk import ChainDesk
from engine.sending.facts import Answer
from engine.sending.paths import PrivateWay
from engine.sending.relay import Relay, bundle_name
from tests.sending.relay_server import RelayServer, serving_relay, signer_of
from tests.sending.sending_world import SendingWorld

pytestmark = pytest.mark.slow

KEY = b"\x07" * 32


async def test_a_request_without_a_true_signature_is_refused(sending: SendingWorld) -> None:
    server = RelayServer(sending.world.rpc)
    async with serving_relay(server) as url, aiohttp.ClientSession() as session:
        relay = Relay(url, KEY, session)
        answer, _ = await relay.send([b"\2"], block=5, ts_max=9, name="n")
        body = b"{}"
        forged = relay.signature_of(b"{ }")

    assert answer is Answer.TAKEN_IN
    assert server.names == {relay.signature_of(b"").partition(":")[0]}
    assert signer_of(body, relay.signature_of(body)) in server.names
    assert signer_of(body, forged) is None


async def test_a_relay_that_is_away_leaves_nothing_sure(sending: SendingWorld) -> None:
    async with aiohttp.ClientSession() as session:
        relay = Relay("http://127.0.0.1:9/", KEY, session)
        answer, why = await relay.send([b"\2"], block=5, ts_max=9, name="n")
        is_cancelled = await relay.cancel("n")
        with pytest.raises(TransientError, match="does not answer"):
            await relay.try_out([b"\2"], block=5)

    assert answer is Answer.UNCLEAR
    assert "does not answer" in why
    assert not is_cancelled


def test_a_bundle_is_in_no_queue_and_lands_in_a_block_that_the_relay_builds(
    sending: SendingWorld,
) -> None:
    sending.gap()
    plan = sending.plan(seconds=60)
    sending.world.automine(False)
    server = RelayServer(sending.world.rpc)

    async def work(desk: ChainDesk) -> None:
        async with serving_relay(server) as url, aiohttp.ClientSession() as session:
            relay = Relay(url, KEY, session)
            desk.way = PrivateWay(relay, desk.view)
            sending.table.hand_over(sending.handed(plan))
            await desk.step()
            raw = sending.life(plan).attempts[0].raw
            tried = await relay.try_out([raw], block=1)
            assert tried.why == ""
            assert tried.gas_used > 0
            queued = sending.world.rpc.ask("txpool_status")
            assert queued["pending"] == "0x0"
            sending.world.mine()  # another builder's block, without it
            await desk.step()
            for _ in range(3):
                server.build()
                await desk.step()

    sending.run(work)

    assert [one.fate for one in sending.news(plan)] == [Fate.SUCCEEDED]
    assert sending.executions() == 1


def test_a_bundle_that_nobody_takes_is_taken_back_and_its_nonce_is_used_up(
    sending: SendingWorld,
) -> None:
    sending.gap()
    plan, later = sending.plan(), sending.plan(seconds=600)
    sending.world.automine(False)
    server = RelayServer(sending.world.rpc)

    async def work(desk: ChainDesk) -> None:
        async with serving_relay(server) as url, aiohttp.ClientSession() as session:
            desk.way = PrivateWay(Relay(url, KEY, session), desk.view)
            sending.table.hand_over(sending.handed(plan))
            await desk.step()
            assert bundle_name(f"{plan.plan_id}-t") in server.bundles
            sending.pass_time(120)
            sending.world.mine()
            await desk.step()
            assert server.bundles == {}
            sending.world.mine()
            await desk.step()
            sending.table.hand_over(sending.handed(later))
            await desk.step()
            for _ in range(4):
                server.build()
                await desk.step()

    sending.run(work)

    assert [one.fate for one in sending.news(plan)] == [Fate.CANCELLED]
    assert [one.fate for one in sending.news(later)] == [Fate.SUCCEEDED]
    assert sending.life(later).nonce == 1
