"""What a person is shown of transactions and of a contract: read, and made into lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from eth_hash.auto import keccak
from msgspec.structs import replace

from engine.bus.sending_reports import ContractLine, TransactionLine, TransactionsReport
from engine.chains.ports import Json, NodeError
from engine.chains.rpc.parsing import parse_bytes, parse_quantity
from engine.domain.chains import NATIVE_ASSETS, NETWORKS
from engine.domain.errors import BadValueError
from engine.domain.modes import Basis
from engine.domain.plans import MixedPlan
from engine.domain.told import Fate
from engine.domain.units import NATIVE_DECIMALS
from engine.sending.calls import balance_call, parse_word
from engine.sending.encoding import SELECTOR, decode
from engine.sending.facts import Life
from engine.sending.nonces import NonceTable
from engine.sending.view import Batches

EXPLORERS: Final[Mapping[str, str]] = {
    "ethereum": "https://etherscan.io/tx/",
    "base": "https://basescan.org/tx/",
    "arbitrum": "https://arbiscan.io/tx/",
    "optimism": "https://optimistic.etherscan.io/tx/",
    "polygon": "https://polygonscan.com/tx/",
    "bnb": "https://bscscan.com/tx/",
    "sepolia": "https://sepolia.etherscan.io/tx/",
    "holesky": "https://holesky.etherscan.io/tx/",
    "hoodi": "https://hoodi.etherscan.io/tx/",
    "arbitrum-sepolia": "https://sepolia.arbiscan.io/tx/",
    "base-sepolia": "https://sepolia.basescan.org/tx/",
    "optimism-sepolia": "https://sepolia-optimism.etherscan.io/tx/",
    "polygon-amoy": "https://amoy.polygonscan.com/tx/",
    "bnb-testnet": "https://testnet.bscscan.com/tx/",
}
"""Where transactions of real networks can be looked at."""

MOST: Final = 50
_NAMES: Final = {facts.chain_id: name for name, facts in NETWORKS.items()}
_ADDRESS_DIGITS: Final = 40


def transactions_report(
    table: NonceTable, *, basis: Basis, most: int, is_local: bool
) -> TransactionsReport:
    """Return the newest transactions of a table, newest first.

    Args:
        table: of nonces.
        basis: of what is sent.
        most: so many at most.
        is_local: they are on local chains, which no explorer knows.
    """
    unsent, news = table.unsent()
    return TransactionsReport(
        basis=basis,
        transactions=[
            _line(table, life, is_local=is_local)
            for life in table.newest_lives(max(1, min(most, MOST)))
        ],
        count=table.count(),
        unsent=unsent,
        unsent_why="" if news is None else news.why,
    )


def _line(table: NonceTable, life: Life, *, is_local: bool) -> TransactionLine:
    chain = _NAMES.get(life.chain_id, str(life.chain_id))
    landed, handed = life.landed, table.handed(life.client_order_id)
    hash_ = landed.hash if landed else life.hashes[-1] if life.hashes else ""
    told = table.told.of(life.client_order_id)
    receipt = None if told is None else told.news.receipt
    gain = None
    if receipt is not None and receipt.swaps and life.data[:4] == SELECTOR:
        gain = receipt.swaps[-1].amount_out - receipt.swaps[0].amount_in - receipt.flash_fee
    explorer = "" if is_local else EXPLORERS.get(chain, "")
    return TransactionLine(
        ref=life.client_order_id if handed is None else handed.plan.plan_id,
        chain=chain,
        nonce=life.nonce,
        state=life.stage.value,
        fate="" if told is None else told.news.fate.value,
        hash=hash_,
        attempts=len(life.attempts),
        block=None if landed is None else landed.block,
        native=NATIVE_ASSETS.get(chain, "?"),
        cost=None if landed is None else _coins(
            landed.gas_used * landed.gas_price_wei + landed.data_fee_wei
        ),
        asset="" if handed is None else str(handed.plan.steps[0].source),
        gain=gain,
        explorer_url=f"{explorer}{hash_}" if explorer and hash_ else "",
        why=_why(life, told.news.why if told is not None and told.news.fate is not Fate.SUCCEEDED
                 else "", "" if receipt is None else receipt.why),
    )  # fmt: skip


def _why(life: Life, told: str, reverted: str) -> str:
    return told or reverted or ("" if life.has_ended else life.why)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractLook:
    """Our contract on a chain, to be looked at.

    Attributes:
        wanted_hash: that its code has to have.
        wrapped: the chain's wrapped coin.
        table: whose newest transactions say in which tokens there were gains.
    """

    node: Batches
    table: NonceTable
    chain: str
    wallet: str
    contract: str
    wanted_hash: str
    wrapped: str

    async def look(self) -> ContractLine:
        """Return how it stands now; trouble is part of it."""
        known = ContractLine(
            chain=self.chain,
            address=self.contract,
            wallet=self.wallet,
            native=NATIVE_ASSETS.get(self.chain, "?"),
            wanted_hash=self.wanted_hash,
        )
        try:
            return await self._looked(known)
        except (NodeError, BadValueError) as error:
            return _troubled(known, f"its nodes do not say: {error}")

    async def _looked(self, known: ContractLine) -> ContractLine:
        code, coins = _said(
            await self.node.batch(
                [
                    ("eth_getCode", (self.contract, "latest")),
                    ("eth_getBalance", (self.wallet, "latest")),
                ]
            )
        )
        there = parse_bytes(code, "a contract's code")
        funded = replace(known, wallet_coins=_coins(parse_quantity(coins, "a balance")))
        if not there:
            return _troubled(funded, "there is no code")
        found = replace(funded, code_hash="0x" + keccak(there).hex())
        if not found.is_ours:
            return _troubled(found, "its code is not what the settings name")
        calls = [
            _call(self.contract, "owner()"),
            _call(self.contract, "RECOVERY()"),
            _call(self.contract, "isPaused()"),
            _call(self.contract, "isExecutor(address)", self.wallet),
            _call(self.contract, "isGuardian(address)", self.wallet),
            balance_call(self.wrapped, self.contract),
        ]
        words = await self._words(calls)
        recovery = _address(words[1])
        tokens = {self.wrapped: (f"W{known.native}", NATIVE_DECIMALS)} | self._gained_in()
        earned = await self._words([balance_call(token, recovery) for token in tokens])
        return replace(
            found,
            owner=_address(words[0]),
            recovery=recovery,
            is_paused=bool(words[2]),
            is_executor=bool(words[3]),
            is_guardian=bool(words[4]),
            held=_coins(words[5]),
            earned={
                asset: Decimal(raw).scaleb(-decimals)
                for raw, (asset, decimals) in zip(earned, tokens.values(), strict=True)
            },
        )

    def _gained_in(self) -> dict[str, tuple[str, int]]:
        """Return the tokens that newest transactions start and end in: asset and decimals."""
        found: dict[str, tuple[str, int]] = {}
        for life in self.table.newest_lives(MOST):
            handed = self.table.handed(life.client_order_id)
            if handed is None or handed.plan.chain != self.chain:
                continue
            if isinstance(handed.plan, MixedPlan):  # what a swap brings is the wallet's
                continue
            token = decode(life.data, contract=life.to).source.token
            if token != self.wrapped:
                first = handed.plan.steps[0]
                found[token] = (str(first.source), first.decimals_in)
        return found

    async def _words(self, calls: Sequence[dict[str, Json]]) -> list[int]:
        said = await self.node.batch([("eth_call", (one, "latest")) for one in calls])
        return [parse_word(one, "an answer of the contract") for one in _said(said)]


def _said(answers: Sequence[Json | NodeError]) -> list[Json]:
    for answer in answers:
        if isinstance(answer, NodeError):
            raise answer
    return [one for one in answers if not isinstance(one, NodeError)]


def _call(contract: str, signature: str, *addresses: str) -> dict[str, Json]:
    words = b"".join(bytes.fromhex(one[2:]).rjust(32, b"\0") for one in addresses)
    return {"to": contract, "data": "0x" + (keccak(signature.encode())[:4] + words).hex()}


def _address(word: int) -> str:
    return f"0x{word:0{_ADDRESS_DIGITS}x}"


def _coins(wei: int) -> Decimal:
    return Decimal(wei).scaleb(-NATIVE_DECIMALS)


def _troubled(line: ContractLine, why: str) -> ContractLine:
    return replace(line, trouble=why)
