"""`make deploy CHAIN=sepolia`: our contract on a test or main network, by the owner's own key.

The owner's key is opened here for the few transactions of a deployment and is nowhere afterwards:
it is not the wallet's, which the signer holds, and which may do no more than send routes and pause.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.chains import CHAINS, NETWORKS, TEST_NETWORKS, ChainFacts
from engine.domain.errors import BadValueError, FatalError, SettingsError, TransientError
from engine.domain.networks import Network
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.settings.schema import Settings, environment_name
from engine.signing.curve import LocalKey
from engine.signing.guards import keep_apart
from engine.signing.keystore import Keystore, open_keystore, parse_keystore
from engine.signing.secret_files import password_of, read_secret_file
from engine.wiring.followed_chains import key_file
from engine.wiring.local_deploying import DeploymentPlan
from engine.wiring.network_deploying import (
    NetworkDeployment,
    check_funds,
    check_network,
    check_wrapped,
    deploy_signed,
    is_done,
    keep_begun,
    nonce_of,
    read_begun,
)
from engine.wiring.paths import Paths

Say = Callable[[str], None]

OWNER_KEY: Final = "owner/key.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Whose key deploys, and what the contract is to know.

    Attributes:
        keystore: file of the owner's key; None for `OWNER_KEY` in the data directory.
        password_file: of it; None asks a person.
        recovery: where gains go; empty for the owner.
        wrapped: the network's wrapped coin; empty for the known one.
    """

    keystore: Path | None = None
    password_file: Path | None = None
    recovery: str = ""
    wrapped: str = ""


def network_of(chain: str) -> Network:
    """Say of what kind a network is, by its name.

    Raises:
        SettingsError: none is called so.
    """
    if chain in TEST_NETWORKS:
        return Network.TEST
    if chain in CHAINS:
        return Network.MAIN
    raise SettingsError(f"{chain!r} is no known network; those are: {', '.join(NETWORKS)}")


def facts_of(settings: Settings, chain: str) -> ChainFacts:
    """Return what is known of a network on which something may be deployed.

    Raises:
        SettingsError: it is not one of the kind that is signed for.
    """
    kind = network_of(chain)
    if settings.signer.signs != kind.value:
        name = environment_name("signer", "signs")
        money = "with real money" if kind is Network.MAIN else "whose coins are worth nothing"
        raise SettingsError(
            f"{chain} is a {kind} network, {money}: {name}={kind} says that transactions of such"
            f" are to be signed here; now it is {settings.signer.signs}"
        )
    return NETWORKS[chain]


def open_rpc(settings: Settings, chain: str) -> Rpc:
    """Connect to the operator's own node of a network.

    Raises:
        SettingsError: none is named, or none with an address for requests.
    """
    name = environment_name("chains", "providers")
    urls = [one.http_url for one in key_file(settings).providers.get(chain, ()) if one.http_url]
    if not urls:
        raise SettingsError(f"no node of {chain} is named: {name}={chain}=https://...")
    return Rpc(urls[0])


async def deploy_on_network(
    settings: Settings,
    paths: Paths,
    *,
    chain: str,
    wallet: str,
    is_upgradeable: bool,
    owner: Owner,
    ask: Callable[[str], str] | None,
    ask_password: Callable[[str], str],
    show: Callable[[Rpc, DeploymentPlan], int],
    question: str,
    yes: str,
    say: Say,
) -> DeploymentPlan | None:
    """Deploy, after a dry run and a person's word; None if the person did not say it.

    Args:
        settings: in force.
        paths: of the installation.
        chain: the network's name.
        wallet: that may send routes and pause.
        is_upgradeable: behind a proxy.
        owner: whose key deploys.
        ask: a person; None asks nobody.
        ask_password: likewise, for the owner's password.
        show: carries the plan out on an EVM of ours and shows it; returns what it costs in wei.
        question: that is asked.
        yes: its one good answer.
        say: shows a line.

    Raises:
        SettingsError: something that is needed is not there.
        TransientError: the node does not answer, or a step is in no block yet.
        FatalError: a step failed.
    """
    facts = facts_of(settings, chain)
    path = owner.keystore or paths.data_dir / OWNER_KEY
    store = _owners_keystore(path, network_of(chain))
    address = f"0x{store.address.lower().removeprefix('0x')}"
    if address == wallet:
        raise SettingsError(
            f"the owner {address} is the wallet itself: whoever sends routes must not own the"
            " contract; make a key for the owner with python -m engine keys make --to"
        )
    wrapped = owner.wrapped.lower() or facts.wrapped_native
    if not wrapped:
        raise SettingsError(f"no wrapped coin of {chain} is known: --wrapped names it")
    asked = NetworkDeployment(
        network=chain,
        chain_id=facts.chain_id,
        wallet=wallet,
        owner=address,
        recovery=owner.recovery.lower() or address,
        wrapped=wrapped,
        first_nonce=0,
        is_upgradeable=is_upgradeable,
    )
    try:
        with contextlib.closing(open_rpc(settings, chain)) as rpc:
            begun = await asyncio.to_thread(_begun, rpc, paths, asked)
            plan = begun.plan()
            if not await asyncio.to_thread(is_done, rpc, begun):
                cost_wei = await asyncio.to_thread(show, rpc, plan)
                await asyncio.to_thread(check_funds, rpc, address, cost_wei)
                if ask is not None and (await asyncio.to_thread(ask, question)).strip() != yes:
                    return None
                key = await asyncio.to_thread(_opened, store, path, owner, ask_password)
                keep_begun(paths, begun)
                await asyncio.to_thread(deploy_signed, rpc, begun, key, say=say)
    except (BadValueError, NodeSaidNoError) as error:
        raise FatalError(f"not deployed on {chain}: {error}") from error
    except OSError as error:
        raise TransientError(f"the node of {chain} does not answer: {error}") from error
    return plan


def _begun(rpc: Rpc, paths: Paths, asked: NetworkDeployment) -> NetworkDeployment:
    """Return what was begun before, where that is the same; else begin anew."""
    check_network(rpc, asked.chain_id)
    check_wrapped(rpc, asked.wrapped)
    before = read_begun(paths).get(asked.network)
    if before is not None and before == _with_nonce(asked, before.first_nonce):
        return before
    return _with_nonce(asked, nonce_of(rpc, asked.owner))


def _with_nonce(one: NetworkDeployment, nonce: int) -> NetworkDeployment:
    return msgspec.structs.replace(one, first_nonce=nonce)


def _owners_keystore(path: Path, kind: Network) -> Keystore:
    if not path.exists():
        raise SettingsError(
            f"there is no key of the contract's owner: {path} is missing; python -m engine keys"
            f" make --for {kind.key_use} --to {path} makes it. Keep it off this machine afterwards"
        )
    store = parse_keystore(read_secret_file(path, what="keystore"), where=f"the keystore {path}")
    if store.syndicate != kind.key_use or not store.address:
        raise SettingsError(
            f"the keystore {path} is for {store.syndicate or 'any use'}, and a {kind} network takes"
            f" one made --for {kind.key_use}"
        )
    return store


def _opened(
    store: Keystore, path: Path, owner: Owner, ask_password: Callable[[str], str]
) -> LocalKey:
    keep_apart()
    password = (
        ask_password("Password of the owner's key: ").encode()
        if owner.password_file is None
        else password_of(owner.password_file)
    )
    return LocalKey(open_keystore(store, password, where=f"the keystore {path}"))
