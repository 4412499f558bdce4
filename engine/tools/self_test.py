"""`python -m engine self-test`: all that has to be so before a wallet goes live, line by line.

Each line passes, or is a sentence that says what to do. Nothing is sent: the route at the end is
carried out on an EVM of ours, on the state of the newest block.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from eth_hash.auto import keccak

from engine.bus.signing import WalletsReport
from engine.bus.unix_socket import SocketCaller
from engine.chains.discovery.dex_list import dexes_of
from engine.domain.dexes import Dex
from engine.domain.errors import TransientError
from engine.domain.networks import Network
from engine.requests.wallets import GetWallets
from engine.sandbox.world.abi import ZERO, call_data
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.sandbox.world.values import LocalChain
from engine.settings.schema import Settings, environment_name
from engine.signing.gates import FUNDS_WEI_MIN
from engine.signing.self_tested import SelfTested, keep_self_test
from engine.tools.deploying import coins, local_chain
from engine.tools.network_deploying import facts_of, network_of, open_rpc
from engine.tools.trial_route import NO_POOLS, try_route
from engine.wiring.local_deploying import COINS_WEI_MIN
from engine.wiring.paths import Paths

Say = Callable[[str], None]
Line = tuple[bool, str]

_ADDRESS_DIGITS: Final = 40


@dataclass(slots=True, kw_only=True)
class Trial:
    """Where all is tried.

    Attributes:
        url: of a node.
        wrapped: token of the chain's own asset.
        dexes: through whose pools a route is tried.
        funds_wei: what the wallet has, once that was asked.
    """

    url: str = field(repr=False)
    network: Network
    chain_id: int
    wrapped: str
    dexes: Sequence[Dex]
    funds_wei: int = 0

    @property
    def kind(self) -> str:
        """Of the network, in words."""
        return {Network.SANDBOX: "", Network.TEST: ", a test network"}.get(
            self.network, ", a MAIN network"
        )

    def passed(self, contract: str, code_hash: str, wallet: str, *, at_ns: int) -> SelfTested:
        """Return what is kept of a self-test that passed."""
        return SelfTested(
            chain_id=self.chain_id,
            contract=contract,
            code_hash=code_hash,
            wallet=wallet,
            funds_wei=self.funds_wei,
            at_ns=at_ns,
        )


def trial_of(local: LocalChain) -> Trial:
    """Return where all is tried on a local chain."""
    return Trial(
        url=local.http_urls[0],
        network=Network.SANDBOX,
        chain_id=local.chain_id,
        wrapped=local.contracts["wrapped"],
        dexes=local.dexes,
    )


def network_trial(settings: Settings, chain: str) -> Trial:
    """Return where all is tried on a test or main network.

    Raises:
        SettingsError: it is none that is signed for, or no node of it is named.
    """
    facts = facts_of(settings, chain)
    with contextlib.closing(open_rpc(settings, chain)) as rpc:
        return Trial(
            url=rpc.url,
            network=network_of(chain),
            chain_id=facts.chain_id,
            wrapped=facts.wrapped_native,
            dexes=dexes_of(chain),
        )


async def run_self_test(settings: Settings, paths: Paths, *, chain: str, say: Say) -> bool:
    """Say of each thing whether it is so; return whether all of them are.

    Raises:
        SettingsError: there is no such chain.
        TransientError: the sandbox does not run.
    """
    if settings.markets.source == "sandbox":
        trial = trial_of(local_chain(paths, chain))
    else:
        trial = network_trial(settings, chain)
    return await run_trial(settings, paths, trial, chain=chain, say=say)


async def run_trial(
    settings: Settings, paths: Paths, trial: "Trial", *, chain: str, say: Say
) -> bool:
    """Say of each thing whether it is so on one chain; return whether all of them are."""
    report, lines = await _of_signer(paths, chain)
    lines += list(_of_latches(paths))
    contract, wanted = _named(settings, chain)
    if not contract:
        lines.append((False, f"no contract of ours is named: make deploy CHAIN={chain}"))
    elif report is not None and report.address:
        lines += await asyncio.to_thread(
            _of_chain, trial, chain, contract, wanted, wallet=report.address
        )
    for is_so, text in lines:
        say(f"{'pass' if is_so else 'FAIL'}  {text}")
    failed = sum(not is_so for is_so, _ in lines)
    if trial.network is not Network.SANDBOX:
        wallet = "" if report is None else report.address
        passed = None if failed else trial.passed(contract, wanted, wallet, at_ns=time.time_ns())
        keep_self_test(paths.signer, chain, passed)
    say("all of it passes: /mode live, with its second step" if not failed else f"{failed} fail")
    return not failed


async def _of_signer(paths: Paths, chain: str) -> tuple[WalletsReport | None, list[Line]]:
    caller = SocketCaller(paths.socket("signer"), role="signer")
    try:
        report = await caller.call(GetWallets())
    except TransientError as error:
        signs = environment_name("signer", "signs")
        return None, [(False, f"the signer does not answer ({error}): {signs}, make run")]
    finally:
        await caller.aclose()
    may = [one for one in report.chains if one.name == chain and one.contracts]
    return report, [
        (True, f"the signer answers for {report.address or 'a wallet not known yet'}"),
        (not report.is_locked, "the key is open") if not report.is_locked
        else (False, "the key is locked: python -m engine keys unlock"),
        (bool(may), f"it may sign for {chain}" if may else
         f"it may not sign for {chain}: make deploy CHAIN={chain}, and start again"),
    ]  # fmt: skip


def _of_latches(paths: Paths) -> Iterator[Line]:
    latches = paths.latches()
    is_killed = latches.is_killed()
    yield (
        not is_killed,
        f"killed ({latches.why()}): make unkill" if is_killed else "nothing is killed",
    )


def _named(settings: Settings, chain: str) -> tuple[str, str]:
    """Return the contract that is called on a chain, and the hash that its code has to have."""
    for place, code_hash in settings.signer.contracts.items():
        name, _, address = place.partition(":")
        if name == chain:
            return address.lower(), code_hash.lower()
    return "", ""


def _of_chain(trial: "Trial", chain: str, contract: str, wanted: str, *, wallet: str) -> list[Line]:
    try:
        with contextlib.closing(Rpc(trial.url)) as rpc:
            return list(_lines(rpc, trial, chain, contract, wanted, wallet=wallet))
    except (OSError, NodeSaidNoError) as error:
        return [(False, f"the node of {chain} does not answer as it should: {error}")]


def _lines(
    rpc: Rpc, trial: "Trial", chain: str, contract: str, wanted: str, *, wallet: str
) -> Iterator[Line]:
    chain_id, head, held, code = rpc.ask_all(
        [
            ("eth_chainId", ()),
            ("eth_blockNumber", ()),
            ("eth_getBalance", (wallet, "latest")),
            ("eth_getCode", (contract, "latest")),
        ]
    )
    is_it = int(chain_id, 16) == trial.chain_id
    yield is_it, f"the node is of chain {int(chain_id, 16)}, at block {int(head, 16):,}{trial.kind}"
    trial.funds_wei = int(held, 16)
    yield _funds(trial, chain)
    there = "0x" + keccak(bytes.fromhex(code[2:])).hex()
    if there != wanted:
        what = "no code" if code == "0x" else f"code {there}, not {wanted}"
        yield False, f"{contract} has {what}: make deploy CHAIN={chain}"
        return
    yield True, f"{contract} has the code that the settings name"
    yield from _roles(rpc, chain, contract, wallet)
    is_tried, text = try_route(
        rpc,
        trial.dexes,
        chain_id=trial.chain_id,
        wrapped=trial.wrapped,
        contract=contract,
        wallet=wallet,
    )
    # Of a test network nobody can ask that it has pools.
    yield is_tried or (text == NO_POOLS and trial.network is Network.TEST), text


def _funds(trial: "Trial", chain: str) -> Line:
    is_local = trial.network is Network.SANDBOX
    is_funded = trial.funds_wei >= (COINS_WEI_MIN if is_local else FUNDS_WEI_MIN)
    mend = f"make deploy CHAIN={chain} funds it" if is_local else "send it some"
    text = f"the wallet has {coins(chain, trial.funds_wei)} for gas"
    return is_funded, text if is_funded else f"{text}, too little: {mend}"


def _roles(rpc: Rpc, chain: str, contract: str, wallet: str) -> Iterator[Line]:
    asked = [
        call_data("owner()"),
        call_data("isExecutor(address)", wallet),
        call_data("isGuardian(address)", wallet),
        call_data("isPaused()"),
        call_data("RECOVERY()"),
    ]
    words = rpc.ask_all([("eth_call", ({"to": contract, "data": one}, "latest")) for one in asked])
    owner, recovery = ("0x" + words[at][-_ADDRESS_DIGITS:] for at in (0, 4))
    may_send, may_pause, is_paused = (bool(int(words[at], 16)) for at in (1, 2, 3))
    yield owner != ZERO, f"its owner is {owner}"
    yield recovery != ZERO, f"gains go to {recovery}"
    yield (
        may_send,
        "the wallet is an executor"
        if may_send
        else f"the wallet may send no route: make deploy CHAIN={chain}, or the owner's setExecutor",
    )
    yield (
        may_pause,
        "the wallet is a guardian" if may_pause else "the wallet may not pause: setGuardian",
    )
    yield (
        not is_paused,
        "it is paused: the owner's unpause lets it run" if is_paused else "it is not paused",
    )
