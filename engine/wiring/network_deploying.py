"""Our contract on a test or main network: deployed by its owner's key, each step safe twice.

What is to be done is kept before anything is sent. So a deployment that broke off anywhere goes on
where it was: each step has a nonce of the owner's, and one that the chain has is not sent again.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from engine.domain.errors import BadValueError, FatalError, TransientError
from engine.domain.replaced_file import replace_file
from engine.domain.signing import UnsignedTransaction
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.signing.curve import LocalKey
from engine.signing.transactions import Unsigned, hash_of
from engine.wiring.local_deploying import (
    SPARE,
    Deployment,
    DeploymentPlan,
    Step,
    is_there,
    plan_deployment,
)
from engine.wiring.paths import Paths

INCLUDED_S: Final = 180.0
LOOK_S: Final = 0.5
FEE_TIMES: Final = 2
"""The base fee may double before a step is in a block."""

_TAKEN: Final = ("already known", "nonce too low", "already imported", "underpriced")
"""What nodes say to a step that they have, or had, already."""


class NetworkDeployment(msgspec.Struct, frozen=True, kw_only=True):
    """A deployment on a network, as it was begun.

    Attributes:
        owner: whose key signs its steps, `recovery` where gains go.
        wrapped: the network's wrapped coin.
        first_nonce: of the owner's, that the first step has.
    """

    network: str
    chain_id: int
    wallet: str
    owner: str
    recovery: str
    wrapped: str
    first_nonce: int
    is_upgradeable: bool = False

    def plan(self) -> DeploymentPlan:
        """Return all that it does."""
        return plan_deployment(
            Deployment(chain=self.network, wallet=self.wallet, is_upgradeable=self.is_upgradeable),
            wrapped=self.wrapped,
            owner=self.owner,
            recovery=self.recovery,
            first_nonce=self.first_nonce,
        )


def begun_path(paths: Paths) -> Path:
    """Return where it is kept what was begun."""
    return paths.sender / "networks.json"


def read_begun(paths: Paths) -> dict[str, NetworkDeployment]:
    """Return what was begun, by network.

    Raises:
        FatalError: the file cannot be understood.
    """
    path = begun_path(paths)
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, NetworkDeployment])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.MsgspecError) as error:
        raise FatalError(f"{path} cannot be read ({error}): move it away, and look") from error


def keep_begun(paths: Paths, one: NetworkDeployment) -> None:
    """Keep what is begun, before anything of it is sent.

    Raises:
        FatalError: it cannot be written.
    """
    known = read_begun(paths) | {one.network: one}
    path = begun_path(paths)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_file(path, msgspec.json.encode(known))
    except OSError as error:
        raise FatalError(f"{path} cannot be written: {error.strerror}") from error


def check_network(rpc: Rpc, wanted: int) -> None:
    """Look whether a node is of the chain that it is asked for.

    Raises:
        BadValueError: it is of another one.
    """
    chain_id = int(rpc.ask("eth_chainId"), 16)
    if chain_id != wanted:
        raise BadValueError(f"the node is of chain id {chain_id}, not {wanted}")


def check_wrapped(rpc: Rpc, wrapped: str) -> None:
    """Look whether there is a contract where the wrapped coin has to be.

    Raises:
        BadValueError: there is none.
    """
    if rpc.ask("eth_getCode", wrapped, "latest") == "0x":
        raise BadValueError(f"the wrapped coin {wrapped} has no code there: --wrapped names it")


def nonce_of(rpc: Rpc, owner: str) -> int:
    """Return the owner's next nonce.

    Raises:
        BadValueError: something of the owner's is under way, so that it cannot be told.
    """
    latest, pending = (
        int(one, 16)
        for one in rpc.ask_all(
            [("eth_getTransactionCount", (owner, tag)) for tag in ("latest", "pending")]
        )
    )
    if latest != pending:
        raise BadValueError(
            f"{pending - latest} transactions of the owner {owner} are under way: wait for them"
        )
    return latest


def check_funds(rpc: Rpc, owner: str, cost_wei: int) -> None:
    """Look whether the owner can pay.

    Raises:
        BadValueError: it has too little.
    """
    held_wei = int(rpc.ask("eth_getBalance", owner, "latest"), 16)
    more, parts = SPARE
    needed_wei = cost_wei * FEE_TIMES * more // parts
    if held_wei < needed_wei:
        raise BadValueError(
            f"the owner {owner} has {held_wei / 10**18:.6f} coins for gas, and it may take"
            f" {needed_wei / 10**18:.6f}: send it some first"
        )


def is_done(rpc: Rpc, begun: NetworkDeployment) -> bool:
    """Say whether the chain has each step, and the code to the byte."""
    plan = begun.plan()
    has_all = _count(rpc, begun.owner) >= begun.first_nonce + len(plan.steps)
    return has_all and is_there(rpc, plan)


def deploy_signed(
    rpc: Rpc,
    begun: NetworkDeployment,
    key: LocalKey,
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> DeploymentPlan:
    """Send each step that the chain does not have yet, and verify what is there.

    Raises:
        BadValueError: a step failed, or other code is there afterwards.
        TransientError: a step is in no block yet; asked again it goes on from there.
    """
    if key.address != begun.owner:
        raise BadValueError(f"the key is of {key.address}, and the owner is {begun.owner}")
    plan = begun.plan()
    try:
        for at, step in enumerate(plan.steps):
            _carry_out(rpc, begun, step, begun.first_nonce + at, key, say=say, sleep=sleep)
    except NodeSaidNoError as error:
        raise BadValueError(f"the node refuses: {error}") from error
    if not is_there(rpc, plan):
        raise BadValueError(f"the code at {plan.contract} is not what was deployed")
    return plan


def _carry_out(
    rpc: Rpc,
    begun: NetworkDeployment,
    step: Step,
    nonce: int,
    key: LocalKey,
    *,
    say: Callable[[str], None],
    sleep: Callable[[float], None],
) -> None:
    if _count(rpc, begun.owner) > nonce:
        say(f"  {step.what}: done already")
        return
    raw = _signed(rpc, begun, step, nonce, key)
    sent = hash_of(raw)
    try:
        rpc.ask("eth_sendRawTransaction", "0x" + raw.hex())
    except NodeSaidNoError as error:
        if not any(word in str(error).lower() for word in _TAKEN):
            raise
    say(f"  {step.what}: sent, {sent}")
    waited = 0.0
    while _count(rpc, begun.owner) <= nonce:
        if waited >= INCLUDED_S:
            raise TransientError(f"{sent} is in no block yet: ask again, it goes on from there")
        sleep(LOOK_S)
        waited += LOOK_S
    receipt = rpc.ask("eth_getTransactionReceipt", sent)
    if receipt is not None and receipt["status"] != "0x1":
        raise BadValueError(f"{step.what}: {sent} reverted")


def _count(rpc: Rpc, owner: str) -> int:
    return int(rpc.ask("eth_getTransactionCount", owner, "latest"), 16)


def _signed(rpc: Rpc, begun: NetworkDeployment, step: Step, nonce: int, key: LocalKey) -> bytes:
    to = {"to": step.to} if step.to else {}
    call = {"from": begun.owner, "data": step.data, **to}
    gas, price, tip = (
        int(one, 16)
        for one in rpc.ask_all(
            [
                ("eth_estimateGas", (call,)),
                ("eth_gasPrice", ()),
                ("eth_maxPriorityFeePerGas", ()),
            ]
        )
    )
    more, parts = SPARE
    unsigned = Unsigned(
        UnsignedTransaction(
            chain_id=begun.chain_id,
            nonce=nonce,
            to=step.to,
            value_wei=0,
            gas_limit=gas * more // parts,
            max_fee_per_gas_wei=max(FEE_TIMES * price, tip),
            max_priority_fee_per_gas_wei=tip,
            data=bytes.fromhex(step.data[2:]),
        )
    )
    return unsigned.signed(key.sign(unsigned.digest()))
