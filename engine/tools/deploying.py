"""`python -m engine deploy`: our contract on a chain; the cost is shown, then it asks.

On a local chain of the running sandbox its node signs for the owner and funds the wallet; on other
networks see `network_deploying`. Where signer and sender look, `.env`, is written once the code was
verified by its hash.
"""

import asyncio
import contextlib
import getpass
import os
import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Final

from engine.bus.unix_socket import SocketCaller
from engine.domain.chains import NATIVE_ASSETS, TEST_NETWORKS
from engine.domain.errors import BadValueError, FatalError, SettingsError, TransientError
from engine.domain.units import NATIVE_DECIMALS
from engine.requests.wallets import GetWallets
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.sandbox.world.values import LocalChain
from engine.settings.passing import text_of
from engine.settings.schema import Settings, environment_name
from engine.signing.keystore import parse_keystore
from engine.signing.secret_files import read_secret_file
from engine.tools.enroll import write_setting
from engine.tools.network_deploying import Owner, deploy_on_network
from engine.wiring.local_deploying import (
    Deployment,
    DeploymentPlan,
    deploy,
    dry_run,
    is_there,
    lent_account,
    plan_deployment,
    supply,
)
from engine.wiring.local_deployments import keep_deployment
from engine.wiring.markets import read_announcement
from engine.wiring.paths import Paths
from engine.wiring.signer_keys import keystore_path

Say = Callable[[str], None]
Ask = Callable[[str], str]

GAS_DAY: Final[Mapping[str, Decimal]] = {
    "ETH": Decimal("0.05"),
    "BNB": Decimal("0.2"),
    "POL": Decimal(50),
}
"""Gas of a day that is allowed where the operator has not said: some hundred transactions."""

NOTIONAL_DAY_USD: Final = Decimal(10_000_000)
"""USD of a day that plans may move where the operator has not said: the sandbox's flash loans are
large, and what they move is nobody's."""

YES: Final = "deploy"


async def run_deploy(
    settings: Settings,
    paths: Paths,
    *,
    chain: str,
    is_upgradeable: bool,
    env_file: Path,
    ask: Ask | None,
    say: Say,
    environment: Mapping[str, str] = os.environ,
    owner: Owner = Owner(),  # noqa: B008 - frozen
    ask_password: Callable[[str], str] = getpass.getpass,
) -> bool:
    """Deploy on a chain, after a person said so; say whether it is there.

    Args:
        settings: in force.
        paths: of the installation.
        chain: its name.
        is_upgradeable: behind a proxy.
        env_file: that signer and sender are told by.
        ask: a person; None asks nobody.
        say: shows a line.
        environment: of this process, which wins over the file.
        owner: whose key deploys, where that is no local chain.
        ask_password: a person, for the owner's.

    Raises:
        SettingsError: the chain is none where this can be done, or there is no wallet.
        TransientError: the sandbox does not run.
        FatalError: a step failed.
    """
    if settings.markets.source != "sandbox":
        _check_environment(environment)
        done = await deploy_on_network(
            settings,
            paths,
            chain=chain,
            wallet=await wallet_address(settings, paths),
            is_upgradeable=is_upgradeable,
            owner=owner,
            ask=ask,
            ask_password=ask_password,
            show=partial(_show_dry_run, say=say),
            question=_QUESTION,
            yes=YES,
            say=say,
        )
        if done is None:
            say("nothing was deployed")
            return False
        _say_done(settings, done, env_file, say)
        return True
    local = local_chain(paths, chain)
    _check_environment(environment)
    wallet = await wallet_address(settings, paths)
    deployment = Deployment(chain=chain, wallet=wallet, is_upgradeable=is_upgradeable)
    plan = plan_deployment(deployment, wrapped=local.contracts["wrapped"])
    try:
        with contextlib.closing(Rpc(local.http_urls[0])) as rpc:
            if not await asyncio.to_thread(is_there, rpc, plan):
                await asyncio.to_thread(_show_dry_run, rpc, plan, say=say)
                if ask is not None and (await asyncio.to_thread(ask, _QUESTION)).strip() != YES:
                    say("nothing was deployed")
                    return False
                used = await asyncio.to_thread(deploy, rpc, plan)
                say(f"deployed with {sum(used):,} gas")
            await asyncio.to_thread(supply, rpc, chain, wallet, now_s=int(time.time()))
    except (BadValueError, NodeSaidNoError) as error:
        raise FatalError(f"not deployed on {chain}: {error}") from error
    except OSError as error:
        raise TransientError(f"the node of {chain} does not answer: {error}") from error
    keep_deployment(paths, deployment)
    _say_done(settings, plan, env_file, say)
    return True


def _say_done(settings: Settings, plan: DeploymentPlan, env_file: Path, say: Say) -> None:
    say(f"verified: {plan.contract} has the code {plan.code_hash}")
    for name, value in _settings_after(settings, plan).items():
        write_setting(env_file, name, value)
        say(f"{env_file.name}: {name}={value}")
    chain = plan.deployment.chain
    say("Start again (make run), open the key, then: make self-test CHAIN=" + chain)


_QUESTION: Final = f"Type the word {YES} to send these transactions: "


def local_chain(paths: Paths, chain: str) -> LocalChain:
    """Return a local chain of the running sandbox.

    Raises:
        SettingsError: there is none of this name, in words.
        TransientError: the sandbox does not run.
    """
    try:
        announced = read_announcement(paths)
    except TransientError as error:
        raise TransientError(f"{error}: start it with make run, and ask again") from error
    if chain not in announced.local_chains:
        known = ", ".join(announced.local_chains) or announced.why_no_local_chains or "none"
        raise SettingsError(
            f"{chain!r} is no local chain of the running sandbox; those are: {known}"
        )
    return announced.local_chains[chain]


async def wallet_address(settings: Settings, paths: Paths) -> str:
    """Return the wallet's address: of the keystore, of a signer elsewhere, or as the signer says.

    Raises:
        SettingsError: there is none.
    """
    own = settings.signer
    if own.remote_url is not None and own.remote_address is not None:
        return own.remote_address.lower()
    if own.hsm_module is None:
        path = keystore_path(settings, paths)
        if not path.exists():
            raise SettingsError(
                f"there is no wallet: {path} is missing; python -m engine keys make makes it"
            )
        store = parse_keystore(read_secret_file(path, what="keystore"), where=f"{path}")
        if store.address:
            return f"0x{store.address.lower().removeprefix('0x')}"
    caller = SocketCaller(paths.socket("signer"), role="signer")
    try:
        report = await caller.call(GetWallets())
    except TransientError as error:
        raise SettingsError(f"the wallet's address is not known: {error}") from error
    finally:
        await caller.aclose()
    if not report.address:
        raise SettingsError("the wallet's address is not known: open its key once")
    return report.address


def coins(chain: str, wei: int) -> str:
    """Return an amount of a chain's own asset in words."""
    amount = Decimal(wei).scaleb(-NATIVE_DECIMALS)
    return f"{amount:.6f} {NATIVE_ASSETS[chain]}"


def _show_dry_run(rpc: Rpc, plan: DeploymentPlan, *, say: Say) -> int:
    """Carry it out on an EVM of ours and show it; return what it costs in wei."""
    chain = plan.deployment.chain
    run = dry_run(rpc, plan)
    is_lent = plan.owner == lent_account("owner", plan.deployment.wallet)
    say(f"On {_named(chain, is_lent=is_lent)}, for the wallet {plan.deployment.wallet} (dry run):")
    for step, gas in zip(plan.steps, run.gas, strict=True):
        say(f"  {step.what}: {gas:,} gas")
    price = Decimal(run.gas_price_wei).scaleb(-9)
    say(f"  in all {sum(run.gas):,} gas at {price:.3f} gwei: {coins(chain, run.cost_wei)}")
    say(f"  contract {plan.contract}")
    lent = ", lent by the sandbox" if is_lent else ""
    say(f"  owner {plan.owner} and recovery address {plan.recovery}{lent}")
    return run.cost_wei


def _named(chain: str, *, is_lent: bool) -> str:
    if is_lent:
        return f"the sandbox's {chain}"
    if chain in TEST_NETWORKS:
        return f"the TEST NETWORK {chain}, whose coins are worth nothing"
    return f"the MAIN NETWORK {chain}, WITH REAL MONEY"


def _settings_after(settings: Settings, plan: DeploymentPlan) -> dict[str, str]:
    """Return what `.env` says afterwards; what else it allows stays."""
    own, chain = settings.signer, plan.deployment.chain
    others = {
        place: text for place, text in own.contracts.items() if not place.startswith(f"{chain}:")
    }
    usd = NOTIONAL_DAY_USD if own.notional_day_usd is None else own.notional_day_usd
    named = {
        environment_name("signer", "contracts"): text_of(
            others | {f"{chain}:{plan.contract}": plan.code_hash}
        )
    }
    if own.signs == "main":  # what may be lost there only the operator says
        return named
    gas = {chain: GAS_DAY.get(NATIVE_ASSETS[chain], Decimal("0.05"))} | own.gas_day
    return named | {
        environment_name("signer", "signs"): "test" if own.signs == "test" else "sandbox",
        environment_name("signer", "gas_day"): text_of(gas),
        environment_name("signer", "notional_day_usd"): text_of(usd),
    }


def _check_environment(environment: Mapping[str, str]) -> None:
    for setting in ("signs", "contracts", "gas_day", "notional_day_usd"):
        name = environment_name("signer", setting)
        if name in environment:
            raise SettingsError(
                f"{name} is set in the environment, which wins over .env: unset it first"
            )
