"""Our contract on a local chain of the sandbox: what deploys it, what it costs, and doing it.

Owner and recovery address are accounts of the sandbox that nobody has a key of: the node signs for
any account. Both follow from the wallet, so that each new chain has the contract at one and the
same address.
"""

import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec
from eth_hash.auto import keccak

from engine.chains.gas.rules import LOCAL_RULE
from engine.domain.errors import BadValueError, TransientError
from engine.domain.tokens import asset_of, tokens_of
from engine.sandbox.world.abi import call_data
from engine.sandbox.world.hands import created_address
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc
from engine.sending.calls import balance_call
from engine.sending.contract_code import DIRECT, PROXY, UPGRADEABLE, code_hash, creation_code
from engine.sending.fees import FeeTerms, NoBid, first_bid
from engine.sending.simulating import GAS_MAX, SPEC

COINS_WEI: Final = 10**18
"""What owner and wallet are given; a coin of a local chain is worth nothing."""

COINS_WEI_MIN: Final = COINS_WEI // 100

STOCK: Final[Mapping[str, Decimal]] = {
    "ETH": Decimal(2),
    "BNB": Decimal(8),
    "POL": Decimal(10_000),
    "USDC": Decimal(5_000),
    "USDT": Decimal(5_000),
    "WBTC": Decimal("0.05"),
}
"""By asset what a wallet is given of the token: some trades' worth, and worth nothing either."""

STOCK_SHARE_MIN: Final = 10
NONCE_MIN: Final = 1_700_000_000
"""Seconds of 2023: a wallet with a lower nonce is new on its chain."""

INCLUDED_S: Final = 60.0
LOOK_S: Final = 0.1
SPARE: Final = (12, 10)
"""A deployment may use so much more gas than its dry run."""

IMPLEMENTATION_SLOT: Final = hex(int.from_bytes(keccak(b"eip1967.proxy.implementation")) - 1)


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """What was deployed, and is again wherever a local chain begins anew.

    Attributes:
        wallet: address that may send routes and pause, in lower case.
        is_upgradeable: behind a proxy.
    """

    chain: str
    wallet: str
    is_upgradeable: bool = False


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction of the owner's.

    Attributes:
        what: it does, in words.
        to: which contract is called, empty where one is made.
    """

    what: str
    to: str
    data: str


class DeploymentPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a deployment does, before it does it.

    Attributes:
        contract: where it will be called, `code_hash` the hash of the code that has to be there.
        implementation: behind a proxy, with its own hash; both empty without one.
        steps: in order, with nonces of the owner's that follow one another.
    """

    deployment: Deployment
    owner: str
    recovery: str
    contract: str
    code_hash: str
    implementation: str = ""
    implementation_hash: str = ""
    steps: tuple[Step, ...]


class DryRun(msgspec.Struct, frozen=True, kw_only=True):
    """What a deployment costs at the newest block.

    Attributes:
        gas: of each step, in units.
    """

    gas: tuple[int, ...]
    gas_price_wei: int

    @property
    def cost_wei(self) -> int:
        """Of all steps."""
        return sum(self.gas) * self.gas_price_wei


def plan_deployment(
    deployment: Deployment,
    *,
    wrapped: str,
    owner: str = "",
    recovery: str = "",
    first_nonce: int = 0,
) -> DeploymentPlan:
    """Return what a deployment does on a chain whose wrapped coin is known.

    Args:
        deployment: what is wanted.
        wrapped: token of the chain's own asset.
        owner: of the contract; empty for the account that the sandbox lends.
        recovery: where gains go; likewise.
        first_nonce: of the owner's, that the first step has.
    """
    wallet = deployment.wallet
    owner = owner or lent_account("owner", wallet)
    recovery = recovery or lent_account("recovery", wallet)
    first = created_address(owner, first_nonce)
    fixed = {"WRAPPED": wrapped, "RECOVERY": recovery}
    if deployment.is_upgradeable:
        contract = created_address(owner, first_nonce + 1)
        begin = bytes.fromhex(call_data("initialize(address)", owner)[2:])
        steps = [
            _creation("the code behind the proxy", creation_code(UPGRADEABLE, wrapped, recovery)),
            _creation("the proxy", creation_code(PROXY, first, begin)),
        ]
        hash_there = code_hash(PROXY, {})
        behind = {
            "implementation": first,
            "implementation_hash": code_hash(UPGRADEABLE, {**fixed, "__self": first}),
        }
    else:
        contract = first
        steps = [_creation("the contract", creation_code(DIRECT, wrapped, recovery, owner))]
        hash_there, behind = code_hash(DIRECT, fixed), {}
    for what, name in (("send routes", "setExecutor"), ("pause", "setGuardian")):
        data = call_data(f"{name}(address,bool)", wallet, True)
        steps.append(Step(what=f"the wallet may {what}", to=contract, data=data))
    return DeploymentPlan(
        deployment=deployment,
        owner=owner,
        recovery=recovery,
        contract=contract,
        code_hash=hash_there,
        steps=tuple(steps),
        **behind,
    )


def dry_run(rpc: Rpc, plan: DeploymentPlan) -> DryRun:
    """Carry all steps out on an EVM of ours, on the state of the newest block.

    Raises:
        BadValueError: one of them fails.
    """
    from pyrevm import EVM, CfgEnv, Env  # noqa: PLC0415 - few machines have it

    chain_id, number, price = (
        int(one, 16)
        for one in rpc.ask_all([("eth_chainId", ()), ("eth_blockNumber", ()), ("eth_gasPrice", ())])
    )
    evm = EVM(
        env=Env(cfg=CfgEnv(chain_id=chain_id)),
        fork_url=rpc.url,
        fork_block=str(number),
        spec_id=SPEC,
    )
    evm.set_balance(plan.owner, COINS_WEI)
    gas = []
    for step in plan.steps:
        data = bytes.fromhex(step.data[2:])
        try:
            if step.to:
                evm.message_call(caller=plan.owner, to=step.to, calldata=data, gas=GAS_MAX)
            else:
                evm.deploy(plan.owner, data, gas=GAS_MAX)
        except RuntimeError as error:
            raise BadValueError(f"{step.what}: {str(error)[:200]}") from error
        assert evm.result is not None
        gas.append(evm.result.gas_used)
    return DryRun(gas=tuple(gas), gas_price_wei=price)


def is_there(rpc: Rpc, plan: DeploymentPlan) -> bool:
    """Say whether the chain has the contract's code, to the byte."""
    wanted = {plan.contract: plan.code_hash}
    if plan.implementation:
        wanted[plan.implementation] = plan.implementation_hash
    codes = rpc.ask_all([("eth_getCode", (one, "latest")) for one in wanted])
    for code, hash_wanted in zip(codes, wanted.values(), strict=True):
        if "0x" + keccak(bytes.fromhex(code[2:])).hex() != hash_wanted:
            return False
    if not plan.implementation:
        return True
    behind = rpc.ask("eth_getStorageAt", plan.contract, IMPLEMENTATION_SLOT, "latest")
    return int(behind, 16) == int(plan.implementation, 16)


def deploy(rpc: Rpc, plan: DeploymentPlan) -> list[int]:
    """Send each step that the chain does not have yet; return the gas that each used.

    Raises:
        BadValueError: a step failed, or other code is there afterwards.
        TransientError: the chain makes no block.
    """
    done = int(rpc.ask("eth_getTransactionCount", plan.owner, "latest"), 16)
    rpc.ask("anvil_setBalance", plan.owner, hex(COINS_WEI))
    rpc.ask("anvil_impersonateAccount", plan.owner)
    used = []
    try:
        for nonce, step in enumerate(plan.steps):
            if nonce >= done:
                used.append(_carried_out(rpc, plan, step, nonce))
    except NodeSaidNoError as error:
        raise BadValueError(f"the node refuses: {error}") from error
    finally:
        rpc.ask("anvil_stopImpersonatingAccount", plan.owner)
    if not is_there(rpc, plan):
        raise BadValueError(f"the code at {plan.contract} is not what was deployed")
    return used


def supply(rpc: Rpc, chain: str, wallet: str, *, now_s: int) -> bool:
    """Give a wallet coins and tokens where it has too few, and a nonce that none of its past had.

    A chain that begins anew counts from 0 again, and the signer signs no nonce for a second plan:
    so the wallet counts on from the time in seconds: it sends fewer than one a second.

    Returns:
        Whether there was anything to do.
    """
    held, count = rpc.ask_all(
        [
            ("eth_getBalance", (wallet, "latest")),
            ("eth_getTransactionCount", (wallet, "latest")),
        ]
    )
    is_poor, is_new = int(held, 16) < COINS_WEI_MIN, int(count, 16) < NONCE_MIN
    if is_poor:
        rpc.ask("anvil_setBalance", wallet, hex(COINS_WEI))
    if is_new:
        rpc.ask("anvil_setNonce", wallet, hex(max(now_s, NONCE_MIN)))
    return _supply_tokens(rpc, chain, wallet) or is_poor or is_new


def _supply_tokens(rpc: Rpc, chain: str, wallet: str) -> bool:
    """Give a wallet of each token that is there its stock, where it has less than a tenth of it."""
    stocks = {
        token: int(stock.scaleb(token.decimals))
        for token in tokens_of(chain)
        if (stock := STOCK.get(asset_of(token, symbol=""))) is not None
    }
    said = rpc.ask_all(
        [("eth_call", (balance_call(one.address, wallet), "latest")) for one in stocks]
    )
    lacking = [
        (token.address, stock_raw)
        for (token, stock_raw), held in zip(stocks.items(), said, strict=True)
        if held != "0x" and int(held, 16) < stock_raw // STOCK_SHARE_MIN
    ]
    for address, stock_raw in lacking:
        rpc.ask("anvil_dealERC20", wallet, address, hex(stock_raw))
    return bool(lacking)


def lent_account(what: str, wallet: str) -> str:
    """Return the account of the sandbox that is a wallet's owner or recovery address."""
    return "0x" + keccak(f"sandbox {what} ".encode() + bytes.fromhex(wallet[2:]))[-20:].hex()


def _creation(what: str, code: bytes) -> Step:
    return Step(what=what, to="", data="0x" + code.hex())


def _transaction(plan: DeploymentPlan, step: Step) -> dict[str, Any]:
    to = {"to": step.to} if step.to else {}
    return {"from": plan.owner, "data": step.data, **to}


def _carried_out(rpc: Rpc, plan: DeploymentPlan, step: Step, nonce: int) -> int:
    sent = _transaction(plan, step) | {"nonce": hex(nonce)}
    more, parts = SPARE
    gas = int(rpc.ask("eth_estimateGas", sent), 16) * more // parts
    receipt = _receipt(rpc, rpc.ask("eth_sendTransaction", sent | _fees(rpc, plan.owner, gas)))
    if receipt["status"] != "0x1":
        raise BadValueError(f"{step.what}: {receipt['transactionHash']} reverted")
    return int(receipt["gasUsed"], 16)


def _fees(rpc: Rpc, owner: str, gas: int) -> dict[str, str]:
    """Return limit and fees of a step: what a route bids, and up to half of what the owner has.

    A node that begins has the base fee of where its state was made; that of a chain which lives may
    be many times as high from the next block on. What is not needed is not paid.

    Raises:
        BadValueError: the owner's coins do not pay for it.
    """
    head, tip, held = rpc.ask_all(
        [
            ("eth_getBlockByNumber", ("latest", False)),
            ("eth_maxPriorityFeePerGas", ()),
            ("eth_getBalance", (owner, "latest")),
        ]
    )
    base_fee_wei = int(head["baseFeePerGas"], 16)
    terms = FeeTerms(
        base_fee_wei=base_fee_wei, tip_wei=int(tip, 16), head_base_fee_wei=base_fee_wei
    )
    bid = first_bid(terms, LOCAL_RULE, gas_limit=gas, bound_wei=COINS_WEI)
    if isinstance(bid, NoBid):
        raise BadValueError(bid.why)
    return {
        "gas": hex(bid.gas_limit),
        "maxFeePerGas": hex(max(bid.fee_wei, int(held, 16) // (2 * bid.gas_limit))),
        "maxPriorityFeePerGas": hex(bid.tip_wei),
    }


def _receipt(rpc: Rpc, sent: str) -> dict[str, Any]:
    until = time.monotonic() + INCLUDED_S
    while time.monotonic() < until:
        found: dict[str, Any] | None = rpc.ask("eth_getTransactionReceipt", sent)
        if found is not None:
            return found
        time.sleep(LOOK_S)
    raise TransientError(f"{sent} is in no block after {INCLUDED_S:.0f} s")
