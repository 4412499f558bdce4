"""What nodes show of a chain, as sending needs it: heads, nonces, receipts; and the way out.

A receipt counts only while its block is in the chain that ends in the head: it is asked for by the
block's number again, and compared.
"""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

from eth_hash.auto import keccak

from engine.chains.ports import Json, NodeError
from engine.chains.rpc.parsing import hex_number, parse_bytes, parse_hash, parse_quantity
from engine.domain.errors import BadValueError, TransientError
from engine.domain.routes_on_chain import ChainRoute, ChainSwap
from engine.sending.calls import (
    HeadNow,
    Moved,
    balance_call,
    owner_call,
    parse_answer,
    parse_head,
    parse_landed,
    parse_moved,
    parse_word,
    recovery_call,
)
from engine.sending.facts import Answer, Landed, Life, Look
from engine.sending.receipts import GainSeen, gained_raw
from engine.sending.swap_receipts import TurnSeen
from engine.sending.touching import PLACE_MAX, Touched, Watched, parse_touched

NONCE_MAX: Final = 2**64 - 2


class Batches(Protocol):
    """What a view needs of `chains.ports.Node`."""

    async def batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json | NodeError]:
        """See `Node.batch`."""
        ...


class ChainView:
    """One chain at its nodes."""

    def __init__(self, node: Batches, *, wallet: str) -> None:
        self._node = node
        self._wallet = wallet

    async def head(self) -> HeadNow:
        """Return the newest block.

        Raises:
            TransientError: nodes do not say.
        """
        newest, final = await self._batch(
            [("eth_getBlockByNumber", ("latest", False)),
             ("eth_getBlockByNumber", ("finalized", False))]
        )  # fmt: skip
        try:
            return parse_head(newest, final)
        except BadValueError as error:
            raise TransientError(str(error)) from error

    async def hash_at(self, block: int) -> str:
        """Return the hash of a block by its number, empty if the chain has none so high."""
        (said,) = await self._batch([("eth_getBlockByNumber", (hex_number(block), False))])
        if said is None:
            return ""
        try:
            return parse_hash(
                said.get("hash") if isinstance(said, dict) else said, "a block's hash"
            )
        except BadValueError as error:
            raise TransientError(str(error)) from error

    async def held(
        self, head: HeadNow, recovery: str, gained: Sequence[str], own: Sequence[str]
    ) -> tuple[int, list[int], list[int]]:
        """Return what is ours at a block, raw: coins of the wallet, and tokens of two places.

        Args:
            head: the block.
            recovery: where gains go.
            gained: tokens to look at there.
            own: tokens to look at in the wallet; it holds nothing of one that is not on the chain.

        Raises:
            TransientError: nodes do not say, or the block is another one by now.
        """
        at = hex_number(head.number)
        coins, block, *words = await self._batch(
            [
                ("eth_getBalance", (self._wallet, at)),
                ("eth_getBlockByNumber", (at, False)),
                *(("eth_call", (balance_call(token, recovery), at)) for token in gained),
                *(("eth_call", (balance_call(token, self._wallet), at)) for token in own),
            ]
        )
        if not isinstance(block, dict) or block.get("hash") != head.hash:
            raise TransientError(f"block {head.number} is another one by now")
        return (
            _quantity(coins, "a balance"),
            [_word(one, "a balance") for one in words[: len(gained)]],
            [0 if one == "0x" else _word(one, "a balance") for one in words[len(gained) :]],
        )

    async def count(self, block: int) -> int:
        """Return how many nonces of the wallet a block has used."""
        (said,) = await self._batch(
            [("eth_getTransactionCount", (self._wallet, hex_number(block)))]
        )
        return _quantity(said, "a count of nonces")

    async def look(self, life: Life, head: HeadNow) -> Look:
        """Return what is shown of a nonce.

        Raises:
            TransientError: nodes do not say, or what they say cannot be.
        """
        asked: list[tuple[str, Sequence[Json]]] = [
            ("eth_getTransactionCount", (self._wallet, hex_number(head.number))),
        ]
        asked += [("eth_getTransactionReceipt", (one,)) for one in life.hashes]
        asked += [("eth_getTransactionByHash", (one,)) for one in life.hashes]
        told, *shown = await self._batch(asked)
        count = _quantity(told, "a count of nonces")
        receipts, waits = shown[: len(life.hashes)], shown[len(life.hashes) :]
        try:
            found = [one for one in map(parse_landed, receipts) if one is not None]
        except BadValueError as error:
            raise TransientError(str(error)) from error
        landed = await self._canonical([one for one in found if one.block <= head.number])
        is_taken = landed is None and count > life.nonce
        return Look(
            head=head.number,
            head_ts=head.ts,
            final=head.final,
            count=count,
            final_count=await self._final_count(life, head) if is_taken else 0,
            landed=landed,
            waiting=frozenset(
                one
                for one, said in zip(life.hashes, waits, strict=True)
                if isinstance(said, dict) and said.get("blockHash") is None
            ),
        )

    async def send(self, raw: bytes) -> tuple[Answer, str]:
        """Send signed bytes to a node; whatever becomes of them, they may be sent again."""
        try:
            (said,) = await self._node.batch([("eth_sendRawTransaction", ("0x" + raw.hex(),))])
        except NodeError as error:
            return parse_answer(error)
        return parse_answer(said if isinstance(said, NodeError) else None)

    async def balance_wei(self) -> int:
        """Return what the wallet has for gas."""
        (said,) = await self._batch([("eth_getBalance", (self._wallet, "latest"))])
        return _quantity(said, "a balance")

    async def code_and_count(self, contract: str, head: HeadNow) -> tuple[str, int]:
        """Return the hash of a contract's code and how many nonces are used, as of a block.

        The hash is empty where there is no code.
        """
        at = hex_number(head.number)
        code, count = await self._batch(
            [("eth_getCode", (contract, at)), ("eth_getTransactionCount", (self._wallet, at))]
        )
        there = parse_bytes(code, "a contract's code")
        code_hash = "0x" + keccak(there).hex() if there else ""
        return code_hash, _quantity(count, "a count of nonces")

    async def recovery(self, contract: str) -> str:
        """Return where gains of our contract go."""
        (said,) = await self._batch([("eth_call", (recovery_call(contract), "latest"))])
        return f"0x{_word(said, 'the recovery address'):040x}"

    async def owner(self, contract: str) -> str:
        """Return who may let our contract run again."""
        (said,) = await self._batch([("eth_call", (owner_call(contract), "latest"))])
        return f"0x{_word(said, 'the owner'):040x}"

    async def send_as(self, account: str, contract: str, data: bytes) -> str:
        """Have a local node sign for an account of its own; return the transaction's hash.

        Raises:
            TransientError: it does not.
        """
        sent: dict[str, Json] = {"from": account, "to": contract, "data": "0x" + data.hex()}
        # One after the other: a node may take those of one batch in any order.
        await self._batch([("anvil_impersonateAccount", (account,))])
        try:
            (said,) = await self._batch([("eth_sendTransaction", (sent,))])
        finally:
            await self._batch([("anvil_stopImpersonatingAccount", (account,))])
        try:
            return parse_hash(said, "a transaction's hash")
        except BadValueError as error:
            raise TransientError(str(error)) from error

    async def gain(
        self, route: ChainRoute, landed: Landed, recovery: str, ours: Collection[str]
    ) -> tuple[GainSeen, int]:
        """Return what a transaction brought to where gains go, and its block's time in seconds.

        Args:
            route: that it carried out.
            landed: where it is.
            recovery: where gains go.
            ours: hashes of all that we sent of late; what of it the block holds, too, is taken off,
                whether or not we looked after it yet.
        """
        call = balance_call(route.source.token, recovery)
        block, before, after, receipt = await self._batch(
            [
                ("eth_getBlockByNumber", (hex_number(landed.block), False)),
                ("eth_call", (call, hex_number(landed.block - 1))),
                ("eth_call", (call, hex_number(landed.block))),
                ("eth_getTransactionReceipt", (landed.hash,)),
            ]
        )
        others = await self._beside(block, landed, ours)
        seen = GainSeen(
            kept_raw=_word(after, "a balance") - _word(before, "a balance"),
            moved=_moved_in(receipt, landed.block_hash),
            others_raw=sum(gained_raw(route, one, recovery) for one in others),
        )
        return seen, _quantity(_of_block(block, "timestamp"), "a block's time")

    async def turn(
        self, swap: ChainSwap, landed: Landed, ours: Collection[str]
    ) -> tuple[TurnSeen, int]:
        """Return what a swap took of the wallet and brought to it, and its block's time in seconds.

        Args:
            swap: that was carried out.
            landed: where it is.
            ours: see `gain`.
        """
        calls = [balance_call(one, self._wallet) for one in (swap.token_in, swap.token_out)]
        block, receipt, *words = await self._batch(
            [
                ("eth_getBlockByNumber", (hex_number(landed.block), False)),
                ("eth_getTransactionReceipt", (landed.hash,)),
                *(
                    ("eth_call", (call, hex_number(number)))
                    for call in calls
                    for number in (landed.block - 1, landed.block)
                ),
            ]
        )
        others = await self._beside(block, landed, ours)
        had_in, has_in, had_out, has_out = (_word(one, "a balance") for one in words)
        seen = TurnSeen(
            given_raw=had_in - has_in,
            received_raw=has_out - had_out,
            moved=_moved_in(receipt, landed.block_hash),
            others=tuple(one for of in others for one in of),
        )
        return seen, _quantity(_of_block(block, "timestamp"), "a block's time")

    async def _beside(
        self, block: Json, landed: Landed, ours: Collection[str]
    ) -> list[tuple[Moved, ...]]:
        """Return what other transactions of ours in the block of one moved, by their receipts."""
        if not isinstance(block, dict) or block.get("hash") != landed.block_hash:
            raise TransientError(f"block {landed.block} is another one by now")
        held = block.get("transactions")
        beside = {str(one) for one in held if one in ours} if isinstance(held, list) else set()
        receipts = await self._batch(
            [("eth_getTransactionReceipt", (one,)) for one in sorted(beside - {landed.hash})]
        )
        return [_moved_in(one, landed.block_hash) for one in receipts]

    async def time_of(self, landed: Landed) -> int:
        """Return the time of the block that holds a transaction, in seconds."""
        (block,) = await self._batch([("eth_getBlockByNumber", (hex_number(landed.block), False))])
        if not isinstance(block, dict) or block.get("hash") != landed.block_hash:
            raise TransientError(f"block {landed.block} is another one by now")
        return _quantity(block.get("timestamp"), "a block's time")

    async def head_of(self, number: int) -> HeadNow:
        """Return a block as it was when it was the newest.

        Raises:
            TransientError: nodes do not say, or not any more.
        """
        (said,) = await self._batch([("eth_getBlockByNumber", (hex_number(number), False))])
        try:
            return parse_head(said, None)
        except BadValueError as error:
            raise TransientError(str(error)) from error

    async def touched(
        self, watched: Watched, *, block_hash: str = "", first: int = 0, last: int = 0
    ) -> list[Touched]:
        """Return who logged something at pools: in one block, or from one to another.

        Raises:
            TransientError: nodes do not say.
        """
        where: dict[str, Json] = {"address": [*watched.addresses]}
        if block_hash:
            where["blockHash"] = block_hash
        else:
            where |= {"fromBlock": hex_number(first), "toBlock": hex_number(last)}
        (said,) = await self._batch([("eth_getLogs", (where,))])
        try:
            return parse_touched(said, watched)
        except BadValueError as error:
            raise TransientError(str(error)) from error

    async def place_of(self, landed: Landed) -> tuple[int, int]:
        """Return at which place of its block a transaction is, and the block's time in seconds."""
        (receipt,) = await self._batch([("eth_getTransactionReceipt", (landed.hash,))])
        if not isinstance(receipt, dict) or receipt.get("blockHash") != landed.block_hash:
            raise TransientError(f"block {landed.block} is another one by now")
        try:
            place = parse_quantity(receipt.get("transactionIndex"), "a place", most=PLACE_MAX)
        except BadValueError as error:
            raise TransientError(str(error)) from error
        return place, await self.time_of(landed)

    async def senders(self, hashes: Sequence[str]) -> list[str]:
        """Return who sent each transaction, empty where that is not told."""
        if not hashes:
            return []
        said = await self._batch([("eth_getTransactionByHash", (one,)) for one in hashes])
        return [
            str(one.get("from", "")).lower()[:42] if isinstance(one, dict) else "" for one in said
        ]

    async def _final_count(self, life: Life, head: HeadNow) -> int:
        """Return how many nonces are used for good, if it is proven that none of ours used this.

        A receipt that a node does not show proves nothing: the block does, by what it holds. None
        where nodes keep no state so old, or where a block holds what they show no receipt of.
        """
        try:
            count = await self.count(head.final)
            if count <= life.nonce or not life.attempts:
                return count
            block = await self._block_of(life.nonce, life.attempts[0].at_block, head.final)
            (said,) = await self._batch([("eth_getBlockByNumber", (hex_number(block), False))])
        except TransientError:
            return 0
        held = said.get("transactions") if isinstance(said, dict) else None
        if not isinstance(held, list) or not set(life.hashes).isdisjoint(map(str, held)):
            return 0
        return count

    async def _block_of(self, nonce: int, before: int, after: int) -> int:
        """Return the block that used a nonce, which is used as of a later one.

        Args:
            nonce: that is used.
            before: block as of which it most likely was free; a reorganisation may have it used in
                another one of that height.
            after: as of which it is used.

        Raises:
            TransientError: nodes do not say.
        """
        step = 1
        while before > 0 and await self.count(before) > nonce:
            after, before = before, max(before - step, 0)
            step *= 2
        while after - before > 1:
            middle = (before + after) // 2
            if await self.count(middle) > nonce:
                after = middle
            else:
                before = middle
        return after

    async def _canonical(self, found: Sequence[Landed]) -> Landed | None:
        """Return which of these is in a block that stands."""
        if not found:
            return None
        blocks = await self._batch(
            [("eth_getBlockByNumber", (hex_number(one.block), False)) for one in found]
        )
        for one, block in zip(found, blocks, strict=True):
            if isinstance(block, dict) and block.get("hash") is not None:
                try:
                    stands = parse_hash(block["hash"], "a block's hash") == one.block_hash
                except BadValueError as error:
                    raise TransientError(str(error)) from error
                if stands:
                    return one
        return None

    async def _batch(self, asked: Sequence[tuple[str, Sequence[Json]]]) -> list[Json]:
        if not asked:
            return []
        try:
            answers = await self._node.batch(asked)
        except NodeError as error:
            raise TransientError(str(error)) from error
        for answer in answers:
            if isinstance(answer, NodeError):
                raise TransientError(str(answer)) from answer
        return [answer for answer in answers if not isinstance(answer, NodeError)]


def _of_block(block: Json, name: str) -> Json:
    return block.get(name) if isinstance(block, dict) else None


def _moved_in(receipt: Json, block_hash: str) -> tuple[Moved, ...]:
    """Return the transfers of a receipt, which has to be of this block."""
    if not isinstance(receipt, dict) or receipt.get("blockHash") != block_hash:
        raise TransientError("a receipt of another block was shown")
    try:
        return parse_moved(receipt)
    except BadValueError as error:
        raise TransientError(str(error)) from error


def _quantity(said: Json, what: str) -> int:
    try:
        return parse_quantity(said, what)
    except BadValueError as error:
        raise TransientError(str(error)) from error


def _word(said: Json, what: str) -> int:
    try:
        return parse_word(said, what)
    except BadValueError as error:
        raise TransientError(str(error)) from error
