"""What the operator deployed on the sandbox's chains: kept in a file, and deployed again.

A local chain begins anew with each start, and when its node grows too large. What was deployed once
is there again within seconds, at the same address.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.errors import BadValueError, FatalError, SyndicateError
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.sandbox.world.values import LocalChain
from engine.wiring.local_deploying import (
    Deployment,
    deploy,
    is_there,
    plan_deployment,
    supply,
)
from engine.wiring.paths import Paths

log = logging.getLogger(__name__)

LOOK_S: Final = 2.0


def deployments_path(paths: Paths) -> Path:
    """Return where it is kept what was deployed."""
    return paths.sender / "deployed.json"


def read_deployments(paths: Paths) -> dict[str, Deployment]:
    """Return what was deployed, by chain.

    Raises:
        FatalError: the file cannot be understood.
    """
    path = deployments_path(paths)
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise FatalError(f"{path} cannot be read: {error.strerror}") from error
    try:
        return msgspec.json.decode(content, type=dict[str, Deployment])
    except msgspec.MsgspecError as error:
        raise FatalError(
            f"{path} cannot be understood ({error}): remove it, and deploy again"
        ) from error


def keep_deployment(paths: Paths, one: Deployment) -> None:
    """Keep what was deployed on a chain, in place of what was there.

    Raises:
        FatalError: the file cannot be read or written.
    """
    known = read_deployments(paths) | {one.chain: one}
    path = deployments_path(paths)
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside.write_bytes(msgspec.json.encode(known))
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise FatalError(f"{path} cannot be written: {error.strerror}") from error


async def redeploy(paths: Paths, chains: Mapping[str, LocalChain]) -> None:
    """Deploy again what a chain has lost, for ever; no chain waits for the blocks of another.

    Args:
        paths: of the installation.
        chains: the local ones by name.
    """
    async with asyncio.TaskGroup() as tasks:
        for local in chains.items():
            tasks.create_task(_redeploy(paths, *local))


async def _redeploy(paths: Paths, name: str, local: LocalChain) -> None:
    said = ""
    while True:
        try:
            known = read_deployments(paths).get(name)
            if known is not None:
                await asyncio.to_thread(put_right, local, known)
            said = ""
        except (SyndicateError, NodeSaidNoError, OSError) as error:
            if str(error) != said:
                said = str(error)
                log.warning("what was deployed on %s is not there: %s", name, said)
        await asyncio.sleep(LOOK_S)


def put_right(local: LocalChain, deployment: Deployment) -> bool:
    """Deploy a contract and supply its wallet where they lack it; say whether they did.

    Raises:
        BadValueError: it cannot be deployed.
        TransientError: the chain makes no block.
        NodeSaidNoError: the node refuses.
        OSError: it does not answer.
    """
    if "wrapped" not in local.contracts:
        raise BadValueError(f"the local chain {deployment.chain} has no wrapped coin")
    plan = plan_deployment(deployment, wrapped=local.contracts["wrapped"])
    with contextlib.closing(Rpc(local.http_urls[0])) as rpc:
        # First, as the books begin with what the wallet has when the contract is there.
        was_supplied = supply(rpc, deployment.chain, deployment.wallet, now_s=int(time.time()))
        was_there = is_there(rpc, plan)
        if not was_there:
            deploy(rpc, plan)
            log.info("%s is at %s again", deployment.chain, plan.contract)
        return not was_there or was_supplied
