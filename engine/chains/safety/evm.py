"""An EVM in this process, on the state of one block, in which anybody can be made to act.

Whatever code is run here was written by strangers: this runs in a process of its own
(`worker`) that knows no secret, has bounds for time and memory, and reaches nothing but the door
that reads one block's state.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec
from pyrevm import EVM, AccountInfo, BlockEnv, CfgEnv, Env

from engine.chains.safety.evm_block import Block
from engine.chains.safety.probed import UNTOUCHED
from engine.chains.safety.words import address_word

GAS_MAX: Final = 5_000_000
"""Of one call: a swap takes a tenth of it."""

_RICH: Final = 10**24
_TIP_WEI: Final = 10**9
_DOOR_S: Final = 10.0
_SPEC: Final = "CANCUN"

_PUPPET: Final = (
    "6000337311111111111111111111111111111111111111111460515750366000803760008036817322222222222222"
    "222222222222222222222222225af45b3d6000803e15604c573d6000f35b3d6000fd5b8036601f1901806020833781"
    "3481355af1603e56"
)
"""contracts/probe/Puppet.yul: whose calls it obeys and where the code is that it stands before are
filled in."""


class Outcome(NamedTuple):
    """What became of a call."""

    is_done: bool
    answer: bytes
    gas: int


class Unfinished(Exception):  # noqa: N818 - no error: the probe has no more calls to spend
    """More calls are asked for than a probe may make."""


class ProbeEvm:
    """One block's state; changes to it are ours alone.

    Attributes:
        ours: an account of ours that puppets obey.
    """

    def __init__(self, *, url: str, block: Block, ours: str, calls_max: int) -> None:
        self.ours: Final = ours
        self.calls_count = 0
        self._door = urlsplit(url)
        self._block = block
        self._calls_max: Final = calls_max
        self._puppets: set[str] = set()
        self._evm = EVM(
            env=Env(cfg=CfgEnv(chain_id=block.chain_id), block=_environment(block)),
            fork_url=url,
            fork_block=str(block.forked_at),
            gas_limit=block.gas_limit,
            spec_id=_SPEC,
        )
        self._evm.set_block_env(_environment(block))
        self._pay(ours)

    def call(
        self,
        caller: str,
        to: str,
        sent: bytes,
        *,
        gas: int = GAS_MAX,
        tip_wei: int = _TIP_WEI,
        is_static: bool = False,
    ) -> Outcome:
        """Let somebody call a contract; what it changes stays. A puppet acts through `ours`.

        A static call fails where it would change anything.
        """
        if caller in self._puppets:
            sent, to, caller = address_word(to) + sent, caller, self.ours
        if self.calls_count >= self._calls_max:
            raise Unfinished
        self.calls_count += 1
        self._evm.reset_transient_storage()
        try:
            answer = self._evm.message_call(
                caller=caller,
                to=to,
                calldata=sent,
                gas=gas,
                gas_price=self._block.base_fee_wei + tip_wei,
                is_static=is_static,
            )
        except RuntimeError:
            result = self._evm.result
            return Outcome(is_done=False, answer=b"", gas=result.gas_used if result else 0)
        result = self._evm.result
        return Outcome(is_done=True, answer=bytes(answer), gas=result.gas_used if result else 0)

    def is_view(self, caller: str, to: str, sent: bytes, done: Outcome, *, gas: int) -> bool:
        """Say whether a call that was done and undone can have changed nothing.

        A static call that takes as much gas to the unit did the same. One that tries to change
        something within a call of its own, whose failure it hides, takes more.
        """
        with self.aside():
            static = self.call(caller, to, sent, gas=gas, is_static=True)
        return static.is_done and static.gas == done.gas

    def view(self, to: str, sent: bytes, *, caller: str | None = None, gas: int = GAS_MAX) -> bytes:
        """Return what a call would answer, nothing if it fails; no change stays."""
        with self.aside():
            return self.call(caller or self.ours, to, sent, gas=gas).answer

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Undo, at the end, all that happened in between."""
        kept = self._evm.snapshot()
        block = self._block
        try:
            yield
        finally:
            self._evm.revert(kept)
            self._set_block(block)

    def later(self, *, seconds: int, blocks: int) -> None:
        """Let time pass."""
        self._set_block(
            msgspec.structs.replace(
                self._block,
                number=self._block.number + blocks,
                time_s=self._block.time_s + seconds,
            )
        )

    def wallet(self, address: str) -> str:
        """Give an account what it pays gas with."""
        self._pay(address)
        return address

    def contract(self, address: str, code: bytes, slots: dict[int, int]) -> str:
        """Put a contract of ours somewhere."""
        self._evm.insert_account_info(address, AccountInfo(code=code, nonce=1))
        for slot, value in slots.items():
            self._evm.insert_account_storage(address, slot, value)
        return address

    def puppet(self, address: str) -> None:
        """Let `ours` act as this account from now on; for others it stays what it is."""
        code = self.code(address)
        if not code:
            self._pay(address)
            return
        if address in self._puppets:
            return
        shadow = self.shadow(address)
        self._evm.insert_account_info(shadow, AccountInfo(code=code, nonce=1))
        now = self._evm.basic(address)
        stub = _PUPPET.replace("11" * 20, self.ours[2:]).replace("22" * 20, shadow[2:])
        self._evm.insert_account_info(
            address,
            # The library's own description forgets the balance.
            AccountInfo(code=bytes.fromhex(stub), nonce=now.nonce, balance=now.balance),  # type: ignore[call-arg]
        )
        self._puppets.add(address)

    def shadow(self, address: str) -> str:
        """Return where a puppet's own code is."""
        return f"0x{int(address, 16) ^ int(self.ours, 16):040x}"

    def code(self, address: str) -> bytes:
        """Return a contract's code, nothing if there is none."""
        code = bytes(self._evm.get_code(address) or b"")
        return b"" if code in {b"", b"\0"} else code

    def is_used(self, address: str) -> bool:
        """Say whether an account ever did anything, or is a contract."""
        return bool(self._evm.basic(address).nonce or self.code(address))

    def slot(self, address: str, slot: int) -> int:
        """Return a word of a contract's storage."""
        self._evm.basic(address)
        return int(self._evm.storage(address, slot))

    def fill(self, address: str, slots: Sequence[int], value: int) -> None:
        """Write into words of a contract's storage that nobody can have written into before."""
        params = [address, *(hex(slot) for slot in slots)]
        asked = json.dumps({"id": 0, "method": UNTOUCHED, "params": params})
        door = HTTPConnection(self._door.netloc, timeout=_DOOR_S)
        try:
            door.request("POST", self._door.path, asked)
            door.getresponse().read()
        finally:
            door.close()
        for slot in slots:
            self._evm.insert_account_storage(address, slot, value)

    @property
    def touched(self) -> set[str]:
        """Accounts that anything so far has looked at, in lower case."""
        return {address.lower() for address in self._evm.journal_state}

    def _pay(self, address: str) -> None:
        self._evm.set_balance(address, _RICH)

    def _set_block(self, block: Block) -> None:
        if block is not self._block:
            self._block = block
            self._evm.set_block_env(_environment(block))


def _environment(block: Block) -> BlockEnv:
    return BlockEnv(
        number=block.number,
        coinbase=block.miner,
        timestamp=block.time_s,
        prevrandao=block.randomness,
        basefee=block.base_fee_wei,
        gas_limit=block.gas_limit,
        difficulty=0,
    )
