"""A transaction carried out before it is signed, on the state of the newest block: an EVM of ours.

What it gives has to be what the plan says, to the last unit. If it is not, somebody is wrong - the
pool's exact form, the encoding, a fee, the order of what happened - and the route is not sent.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

import msgspec
from eth_hash.auto import keccak

from engine.chains.gas.base_fee import FeeRule, next_base_fee_wei
from engine.sending.calls import HeadNow
from engine.sending.encoding import SWAP
from engine.sending.footprints import State

SPEC: Final = "CANCUN"
GAS_MAX: Final = 16_777_216
"""EIP-7825."""
RICH_WEI: Final = 10**24
"""The EVM's sender has that much, so that only the route's own faults are seen."""

WARMED_GAS: Final = 10_000
"""What a call takes more by itself than behind another one of the same EVM: accounts and slots that
it then looks at first (EIP-2929), and an allowance that was not made just now (EIP-2200)."""

_WORD: Final = 32
_OUTPUT: Final = re.compile(r"output: 0x((?:[0-9a-f]{2})*)")
_ERRORS: Final[Sequence[str]] = (
    "Expired(uint256,uint256)",
    "ProfitTooLow(address,uint256,uint256)",
    "WrongChain(uint256,uint256)",
    "SameToken(address)",
    "OutTooLow(address,uint256,uint256)",
    "HoldsLess(address,uint256,uint256)",
    "LoanFeeTooHigh(address,uint256,uint256)",
    "PartialFill(address,uint256,uint256)",
    "UnexpectedCallback(address)",
    "CallbackMissing(address)",
    "AllowanceLeft(address,address,uint256)",
    "NotExecutor(address)",
    "IsPaused()",
    "Reentered()",
    "RouteOpen(address,address)",
    "GivesNotFirst(uint256)",
    "TipTooHigh(uint256)",
)
_NAMES: Final = {keccak(one.encode())[:4]: one.partition("(")[0] for one in _ERRORS}


Call = tuple[str, bytes]
"""Who is called, and with what."""


class Simulated(msgspec.Struct, frozen=True, kw_only=True):
    """What a route would do in the next block.

    Attributes:
        gain_raw: of the route's token, before the builder's tip; of a swap what its caller gets.
        gas_used: in units, refunds taken off; of a call behind another one without that, as a large
            part is refunded of what a swap takes.
        first_gas_used: of the call before it.
        why: it reverts, in words; empty if it does not.
    """

    gain_raw: int
    tip_raw: int
    gas_used: int
    why: str = ""
    first_gas_used: int = 0


class Simulator:
    """The EVM of one chain: it keeps what it read of a block for all that is asked of that block.

    Whoever calls takes turns; it blocks while it reads.
    """

    def __init__(
        self, url: str, rule: FeeRule, *, chain_id: int, block_s: int, wallet: str
    ) -> None:
        """Begin with no block.

        Args:
            url: of a node of this machine, which is asked for accounts and words as of the block.
            rule: how the next base fee follows.
            chain_id: of the chain.
            block_s: seconds to the next block.
            wallet: that calls.
        """
        self._url = url
        self._rule = rule
        self._chain_id = chain_id
        self._block_s = block_s
        self._wallet = wallet
        self._head = ""
        self._evm: Any = None
        self._base_fee_wei = 0

    @property
    def head(self) -> str:
        """Hash of the block whose state it has; empty for none."""
        return self._head

    def simulate(
        self, head: HeadNow, contract: str, data: bytes, *, first: Call | None = None
    ) -> Simulated:
        """Carry a call of our contract out on the state of a block; nothing of it stays.

        Args:
            head: the block.
            contract: that is called.
            data: the call.
            first: a call that is carried out before it, as what allows a token does.
        """
        if self._head != head.hash:
            self.open(head)
        evm = self._evm
        before = evm.snapshot()
        first_gas_used = 0
        try:
            if first is not None:
                evm.message_call(caller=self._wallet, to=first[0], calldata=first[1], gas=GAS_MAX)
                first_gas_used = evm.result.gas_used
                evm.reset_transient_storage()
            answer = bytes(
                evm.message_call(
                    caller=self._wallet,
                    to=contract,
                    calldata=data,
                    gas=min(GAS_MAX, head.fees.gas_limit),
                    gas_price=self._base_fee_wei,
                )
            )
            why = ""
        except RuntimeError as error:
            answer, why = b"", _why(str(error))
        result = evm.result
        gas_used = result.gas_used if result else 0
        if first is not None and result:
            gas_used += result.gas_refunded + WARMED_GAS
        evm.revert(before)
        evm.reset_transient_storage()
        words = 1 if data[:4] == SWAP else 2
        if not why and len(answer) != words * _WORD:
            why = f"there is no contract of ours at {contract}: {len(answer)} bytes of answer"
        if why:
            return Simulated(gain_raw=0, tip_raw=0, gas_used=gas_used, why=why)
        gain_raw, tip_raw = int.from_bytes(answer[:_WORD]), int.from_bytes(answer[_WORD:])
        return Simulated(
            gain_raw=gain_raw, tip_raw=tip_raw, gas_used=gas_used, first_gas_used=first_gas_used
        )

    def open(self, head: HeadNow, state: State | None = None) -> None:
        """Begin with a block, and with what is known of its state; the rest is read when needed.

        Raises:
            ValueError: the state is another block's.
        """
        from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env  # noqa: PLC0415 - few have it

        if state is not None and state.head != head.hash:
            raise ValueError(f"state of {state.head} is not that of {head.hash}")
        self._head = ""
        self._base_fee_wei = next_base_fee_wei(head.fees, self._rule)
        block = BlockEnv(
            number=head.number + 1,
            coinbase=head.miner,
            timestamp=head.ts + self._block_s,
            prevrandao=head.randomness,
            basefee=self._base_fee_wei,
            gas_limit=head.fees.gas_limit,
            difficulty=0,
        )
        # By its hash: where the block is gone there is no answer, and none of another block.
        self._evm = EVM(
            env=Env(cfg=CfgEnv(chain_id=self._chain_id), block=block),
            fork_url=self._url,
            fork_block=head.hash,
            gas_limit=head.fees.gas_limit,
            spec_id=SPEC,
        )
        self._evm.set_block_env(block)
        # Who calls and who makes blocks are nobody that a route asks about: they are not asked for.
        for address in {self._wallet, head.miner}:
            self._evm.insert_account_info(address, AccountInfo(balance=RICH_WEI))  # type: ignore[call-arg]
        if state is not None:
            self._put(state)
        self._head = head.hash

    def add(self, state: State) -> None:
        """Learn more of the block that it has; of another one nothing is taken."""
        if state.head == self._head:
            self._put(state)

    def _put(self, state: State) -> None:
        """Give the EVM what is known, so that it does not ask for it."""
        from pyrevm import AccountInfo  # noqa: PLC0415 - few machines have it

        evm = self._evm
        for address, (balance_wei, code) in state.accounts.items():
            info = AccountInfo(balance=balance_wei, nonce=1, code=code)  # type: ignore[call-arg]
            evm.insert_account_info(address, info)
        for (address, place), word in state.words.items():
            # Once it has looked at an account it asks for the word before: so that is forgotten.
            before = evm.snapshot()
            evm.insert_account_storage(address, place, word)
            evm.revert(before)


def _why(text: str) -> str:
    """Say why it reverted, by the contract's own words where it has some."""
    found = _OUTPUT.search(text)
    output = bytes.fromhex(found[1]) if found else b""
    name = _NAMES.get(output[:4])
    if name is not None:
        words = [int.from_bytes(output[at : at + _WORD]) for at in range(4, len(output), _WORD)]
        shown = ", ".join(f"{word:#x}" if word >> 100 else f"{word}" for word in words)
        return f"it reverts: {name}({shown})"
    return f"it reverts: {text[:200]}"
