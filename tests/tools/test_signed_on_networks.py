"""What the signer's own process signs for networks: nothing but behind all of their gates.

A node of this machine poses as each network, in tests only.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from engine.bus.signing import SignRequest
from engine.bus.unix_socket import SocketCaller
from engine.domain.chains import NETWORKS
from engine.domain.errors import BadValueError
from engine.domain.handed import Handed
from engine.domain.modes import Mode
from engine.domain.signing import Purpose, RefusalKind, Signed, SigningIntent
from engine.domain.told import Fate
from engine.operate.clock import make_clock
from engine.operate.mode_word import ModeWord
from engine.sandbox.world.building import Built
from engine.sandbox.world.values import World
from engine.sending.encoding import calldata
from engine.sending.routes import RouteTerms, gain_expected_raw, route_of
from engine.signing.gates import OF_MAIN
from engine.signing.self_tested import SelfTested, keep_self_test, read_self_tests
from engine.tools.self_test import run_trial
from engine.wiring.sender_answers import SenderAnswers
from engine.wiring.sender_role import open_sender
from engine.wiring.sending_path import sent_basis
from engine.wiring.sending_warnings import SendingWarnings
from engine.wiring.signing_terms import signing_terms
from tests.chains.local_world import LocalWorld
from tests.patience import PATIENCE_S
from tests.sending.world_plans import WorldPlans
from tests.signing.intents import CODE_HASH, CONTRACT, make_transaction
from tests.signing.sealed_once import sealed_once
from tests.signing.test_role import Role, running
from tests.tools.test_networks import (
    PASSWORD,
    RECOVERY,
    SECRET,
    WALLET,
    Rig,
    code_now,
    going_live,
    node_posing_as,
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

LIMITS = {
    "SYNDICATE_SIGNER_GAS_DAY": "ethereum=0.05",
    "SYNDICATE_SIGNER_NOTIONAL_DAY_USD": "100000",
    "SYNDICATE_SIGNER_USD_LEAST": "ETH=1500",
    "SYNDICATE_OPERATOR_TOTP_SECRET": SECRET,
}
HOUR_NS = 3_600 * 10**9

Changed = Callable[[SelfTested], SelfTested | None]


def _with(**changes: Any) -> Changed:
    return lambda tested: msgspec.structs.replace(tested, **changes)


BY_THE_SELF_TEST: dict[str, tuple[Changed, str]] = {
    "no self-test": (lambda _tested: None, "no self-test passed on ethereum"),
    "other code": (_with(code_hash="0x" + "00" * 32), "is not the one that is named"),
    "another contract": (_with(contract="0x" + "00" * 20), "is not the one that is named"),
    "another chain": (_with(chain_id=5), "was of chain id 5"),
    "another wallet": (_with(wallet="0x" + "00" * 20), "was of another wallet"),
    "too old": (
        lambda tested: msgspec.structs.replace(tested, at_ns=tested.at_ns - 25 * HOUR_NS),
        "passed 25 hours ago",
    ),
    "of tomorrow": (
        lambda tested: msgspec.structs.replace(tested, at_ns=tested.at_ns + 24 * HOUR_NS),
        "it has to be within 24",
    ),
    "no money for gas": (_with(funds_wei=10**15 - 1), "nothing to pay gas with on ethereum"),
}
BY_THE_SETTINGS = {
    "SYNDICATE_SIGNER_GAS_DAY": "no cap of gas is set for ethereum",
    "SYNDICATE_SIGNER_NOTIONAL_DAY_USD": "no cap in USD is set",
    "SYNDICATE_SIGNER_USD_LEAST": "no least price is set",
    "SYNDICATE_OPERATOR_TOTP_SECRET": "no authenticator is enrolled",
    "SYNDICATE_SIGNER_CONTRACTS": "no contract of ours is named",
}


async def test_on_a_main_network_nothing_is_signed_until_every_step_was_taken(
    tmp_path: Path,
) -> None:
    assert len(OF_MAIN) == 8, "a new gate takes a line above"
    with posing("ethereum") as (plans, world):
        rpc = plans.world.rpc
        rig = Rig(tmp_path, rpc, "ethereum", world)
        assert await asyncio.to_thread(rig.deploy)
        rig.environment |= LIMITS
        with rig.signer() as role:
            await role.until_up()
            assert await run_trial(
                rig.settings(), rig.paths, rig.trial(rpc), chain="ethereum", say=rig.said.append
            ), rig.said
            tested = read_self_tests(rig.paths.signer)["ethereum"]
            for changed, says in BY_THE_SELF_TEST.values():
                keep_self_test(rig.paths.signer, "ethereum", changed(tested))
                await _is_closed(role, says)
            keep_self_test(rig.paths.signer, "ethereum", tested)
            ModeWord(rig.paths.engines / "main").write(Mode.LIVE)
            await _signs_a_route_by_a_persons_word_alone(rig, role, plans)
            keep_self_test(rig.paths.signer, "ethereum", None)
            refused = await role.ask(SignRequest(intent=_intent(rig, plans, nonce=1)))
            assert refused.kind is RefusalKind.CODE_HASH, "a self-test that fails later closes it"
        keep_self_test(rig.paths.signer, "ethereum", tested)
        for name, says in BY_THE_SETTINGS.items():
            with rig.signer(**{name: ""}, has_password=False) as role:
                await role.until_up()
                await _is_closed(role, says)


async def _is_closed(role: Role, says: str) -> None:
    with pytest.raises(BadValueError, match=says):
        await role.ask(going_live(code_now()))


async def _signs_a_route_by_a_persons_word_alone(rig: Rig, role: Role, plans: WorldPlans) -> None:
    plans.gap()
    request = SignRequest(intent=_intent(rig, plans))
    unsaid = await role.ask(request)
    assert (unsaid.kind, "nobody who went live" in unsaid.detail) == (RefusalKind.MODE, True)
    for code, says in ((None, "takes a one-time code"), ("000000", "the code is wrong")):
        with pytest.raises(BadValueError, match=says):
            await role.ask(going_live(code))
    used = code_now()
    await role.ask(going_live(used))
    with pytest.raises(BadValueError, match="was used before"):
        await role.ask(going_live(used))
    reply = await role.ask(request)
    assert isinstance(reply, Signed), reply
    before_raw = _kept_raw(plans)
    rpc = plans.world.rpc
    rpc.ask("eth_sendRawTransaction", "0x" + reply.raw.hex())
    plans.world.mine()  # a node that makes a block of each transaction does so by and by
    receipt = rpc.ask("eth_getTransactionReceipt", reply.hash)
    assert receipt["status"] == "0x1", receipt
    assert _kept_raw(plans) > before_raw


def _intent(rig: Rig, plans: WorldPlans, *, nonce: int = 0) -> SigningIntent:
    plan = plans.plan(seconds=60)
    ((place, code_hash),) = rig.settings().signer.contracts.items()
    terms = _terms_of(rig)
    route = route_of(plan, plans.handed(plan).pools, terms)
    transaction = make_transaction(
        chain_id=terms.chain_id,
        to=place.partition(":")[2],
        nonce=nonce,
        data=calldata(route),
        max_fee_per_gas_wei=20 * 10**9,
    )
    return SigningIntent(
        purpose=Purpose.ROUTE, transaction=transaction, plan=plan, code_hash=code_hash
    )


# ---- end to end -------------------------------------------------------------------------------


async def test_on_a_test_network_a_route_is_carried_out_from_its_plan_to_its_gain(
    tmp_path: Path,
) -> None:
    with posing("sepolia") as (plans, world):
        rpc = plans.world.rpc
        rig = Rig(tmp_path, rpc, "sepolia", world)
        assert await asyncio.to_thread(rig.deploy)
        with rig.signer() as role:
            await role.until_up()
            assert await run_trial(
                rig.settings(), rig.paths, rig.trial(rpc), chain="sepolia", say=rig.said.append
            ), rig.said
            await role.ask(going_live())
            ModeWord(rig.paths.engines / "main").write(Mode.LIVE)
            async with sending(rig, role) as answers:
                plans.gap()
                await _looked_at(answers, plans)
                plan = plans.plan(seconds=60)
                handed = plans.handed(plan)
                await answers.hand_over(handed)
                news = await _ended(answers, handed, plans)

        assert news.fate is Fate.SUCCEEDED, news.why
        route = route_of(plan, handed.pools, _terms_of(rig))
        assert _kept_raw(plans) == gain_expected_raw(plan, route)
        assert news.receipt is not None
        spent_wei = 10**18 - int(rpc.ask("eth_getBalance", WALLET.address, "latest"), 16)
        assert news.receipt.gas.scaleb(18) == spent_wei


def _terms_of(rig: Rig) -> RouteTerms:
    return RouteTerms(chain_id=NETWORKS[rig.chain].chain_id, contract=rig.contract, wrapped="")


@asynccontextmanager
async def sending(rig: Rig, role: Role) -> AsyncIterator[SenderAnswers]:
    """The sender's own work, on the network of a rig."""
    settings, clock = rig.settings(), make_clock()
    signer = SocketCaller(role.paths.socket("signer"), role="signer")
    ledger = SocketCaller(role.paths.socket("ledger"), role="ledger")
    warnings = SendingWarnings(ledger, basis=sent_basis(settings), clock=clock)
    try:
        async with open_sender(
            settings,
            rig.paths,
            signer,
            contracts=signing_terms(settings).contracts,
            clock=clock,
            warnings=warnings,
        ) as answers:
            async with asyncio.timeout(PATIENCE_S):
                while rig.chain not in answers.desks:
                    await asyncio.sleep(0.05)
            yield answers
    finally:
        await signer.aclose()
        await ledger.aclose()


async def _looked_at(answers: SenderAnswers, plans: WorldPlans) -> None:
    """Wait until the sender begins at the newest block: a plan that names none begins at any."""
    desk, newest = answers.desks[plans.chain], plans.world.head()["hash"]
    async with asyncio.timeout(PATIENCE_S):
        while desk.beginnings.counted[0] != newest:
            await asyncio.sleep(0.02)


async def _ended(answers: SenderAnswers, handed: Handed, plans: WorldPlans) -> Any:
    """Make blocks until something is told of a plan."""
    async with asyncio.timeout(PATIENCE_S):
        while (told := answers.table.told.of(handed.client_order_id)) is None:
            await asyncio.to_thread(plans.world.mine)
            await asyncio.sleep(0.2)
    return told.news


@contextmanager
def posing(chain: str) -> Iterator[tuple[WorldPlans, Built]]:
    """Plans on a node that says it is of a network."""
    with node_posing_as(chain) as (node, world):
        local = LocalWorld(
            node,
            World(
                chain=chain,
                chain_id=NETWORKS[chain].chain_id,
                http_url=node.url,
                ws_url=node.ws_url,
                made=world.made,
            ),
        )
        try:
            yield WorldPlans(local, chain), world
        finally:
            local.rpc.close()


def _kept_raw(plans: WorldPlans) -> int:
    held = plans.world.hands(1).read(plans.weth, "balanceOf(address)", ("uint256",), RECOVERY)
    return int(held)


# ---- one wallet, one signer -------------------------------------------------------------------


async def test_of_two_installations_with_one_key_the_second_ones_signer_refuses_to_start(
    tmp_path: Path,
) -> None:
    content = sealed_once(tmp_path, b"\x21" * 32, PASSWORD, use="test")
    environment = {
        "MARKETS": "live",
        "SYNDICATE_CHAINS_PROVIDERS": "sepolia=http://127.0.0.1:1",
        "SYNDICATE_SIGNER_SIGNS": "test",
        "SYNDICATE_SIGNER_CONTRACTS": f"sepolia:{CONTRACT}={CODE_HASH}",
        "SYNDICATE_SIGNER_GAS_DAY": "sepolia=0.1",
        "TMPDIR": str(tmp_path),
    }
    one, other = tmp_path / "one", tmp_path / "other"
    with running(one, content, has_password=False, **environment) as role:
        await role.until_up()
        with running(other, content, has_password=False, **environment) as second:
            code = await asyncio.to_thread(second.process.wait, PATIENCE_S)
        assert code
        said = second.log.read_text()
        assert f"another installation of this machine (process {role.process.pid})" in said
        assert "signs on sepolia with the wallet" in said
