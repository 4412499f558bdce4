"""A wallet whose key is held by a signer elsewhere, asked by `eth_signTransaction`.

Web3Signer, Clef and nodes sign anything that they are asked for: one of them stands behind this
signer and never beside it.
"""

import asyncio
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import rlp

from engine.domain.errors import SettingsError
from engine.domain.network import is_loopback
from engine.domain.redaction import redact
from engine.domain.signing import UnsignedTransaction
from engine.signing.curve import Signature
from engine.signing.wallet import KeyTroubleError, checked

ANSWER_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 1_000_000


class RemoteWallet:
    """See `Wallet`.

    Args:
        url: of the signer; beyond this machine only with TLS.
        address: of the wallet.

    Raises:
        SettingsError: the address would carry transactions in the clear to another machine.
    """

    kind = "remote signer"
    is_slow = True

    def __init__(self, url: str, address: str) -> None:
        parts = urlsplit(url)
        is_safe = parts.scheme == "https" or is_loopback(parts.hostname or "")
        if parts.scheme not in {"http", "https"} or not parts.hostname or not is_safe:
            raise SettingsError(
                "the remote signer's address must be https://..., or http:// on this machine"
            )
        self.address: Final = address
        self._url = url
        self._client = httpx.AsyncClient(timeout=ANSWER_S, trust_env=False)

    async def check(self) -> None:
        """Ask whether it holds the key of the wallet.

        Raises:
            KeyTroubleError: it does not answer, or holds no such key.
        """
        accounts = await self._ask("eth_accounts", [])
        held = (
            [one.lower() for one in accounts if isinstance(one, str)]
            if isinstance(accounts, list)
            else []
        )
        if self.address not in held:
            raise KeyTroubleError(f"the remote signer holds no key of {self.address}")

    async def sign(self, transaction: UnsignedTransaction) -> bytes:
        """See `Wallet.sign`."""
        answer = await self._ask("eth_signTransaction", [_asked(transaction, self.address)])
        text = answer.get("raw") if isinstance(answer, dict) else answer
        signature = _signature(text)
        raw = checked(transaction, signature, self.address)
        if raw.hex() != str(text).lower().removeprefix("0x"):
            raise KeyTroubleError("the remote signer signed another transaction")
        return raw

    async def aclose(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _ask(self, method: str, params: list[Any]) -> Any:
        content = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        try:
            async with asyncio.timeout(ANSWER_S):
                answer = await self._client.post(self._url, json=content)
            if len(answer.content) > ANSWER_BYTES_MAX:
                raise KeyTroubleError(f"the remote signer answers {len(answer.content)} bytes")
            told = answer.json()
        except (httpx.HTTPError, TimeoutError) as error:
            why = redact(str(error)) or type(error).__name__
            raise KeyTroubleError(f"the remote signer does not answer: {why}") from error
        except (ValueError, RecursionError) as error:
            raise KeyTroubleError(
                f"the remote signer answers no JSON (status {answer.status_code})"
            ) from error
        if not isinstance(told, dict) or "result" not in told:
            said = told.get("error") if isinstance(told, dict) else told
            message = said.get("message") if isinstance(said, dict) else said
            raise KeyTroubleError(f"the remote signer refuses: {redact(str(message))[:200]}")
        return told["result"]


def _asked(one: UnsignedTransaction, address: str) -> dict[str, str]:
    return {
        "type": "0x2",
        "from": address,
        "chainId": hex(one.chain_id),
        "nonce": hex(one.nonce),
        "to": one.to,
        "value": hex(one.value_wei),
        "gas": hex(one.gas_limit),
        "maxFeePerGas": hex(one.max_fee_per_gas_wei),
        "maxPriorityFeePerGas": hex(one.max_priority_fee_per_gas_wei),
        "data": "0x" + one.data.hex(),
    }


def _signature(text: Any) -> Signature:
    """Read the signature of a transaction of type 2; its other fields are not looked at here."""
    try:
        raw = bytes.fromhex(str(text).removeprefix("0x"))
        parity, r, s = rlp.decode(raw[1:])[-3:]
        return Signature(int.from_bytes(parity), int.from_bytes(r), int.from_bytes(s))
    except (ValueError, TypeError, rlp.exceptions.RLPException) as error:
        raise KeyTroubleError("the remote signer answers no signed transaction") from error
