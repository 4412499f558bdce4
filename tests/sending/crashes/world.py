"""A sender's whole way in one process, on a chain of a few lines: desk, table of nonces, signer.

All of it but the chain is the product's: the table and the signer's journal are real files, with
their own settings of durability. The process that ends is the sender; the next one finds what a
killed one leaves on disk, copied at that instant, before anything is rolled back or closed.
"""

import shutil
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, Final

from eth_hash.auto import keccak
from msgspec.structs import replace

from engine.chains.gas.rules import LOCAL_RULE
from engine.domain.assets import AssetCode
from engine.domain.chains import DEADLINE_BLOCKS
from engine.domain.errors import TransientError
from engine.domain.handed import Handed, PoolTerms
from engine.domain.plans import AtomicPlan, GasBound
from engine.domain.pools import Pool, Protocol
from engine.domain.signing import RefusalKind, Signed, SigningIntent, SignRefusal
from engine.sending.beginnings import DeskTerms
from engine.sending.calls import HeadNow
from engine.sending.desk import ChainDesk
from engine.sending.encoding import calldata
from engine.sending.nonces import NonceTable
from engine.sending.paths import OpenWay
from engine.sending.policies import LOCAL
from engine.sending.routes import RouteTerms, gain_expected_raw, route_of
from engine.sending.simulating import Call, Simulated
from engine.sending.view import ChainView
from engine.signing.caps import DailyCaps
from engine.signing.curve import LocalKey
from engine.signing.desk import SigningDesk, caps_of
from engine.signing.journal import Journal
from engine.signing.rules import refused
from engine.signing.terms import SigningTerms
from engine.signing.wallet import LocalWallet
from tests.sending.crashes.moody import MoodyNode
from tests.sending.crashes.node import ROUTE_GAS, ModelNode
from tests.signing.intents import (
    CHAIN,
    CHAIN_ID,
    CONTRACT,
    NOW_NS,
    USDC,
    WETH,
    make_plan,
)

SECRET: Final = keccak(b"a key for tests on a chain of a few lines")
RECOVERY: Final = "0x" + "4e" * 20
CODE: Final = b"\x60\x01"
NS: Final = 10**9
TABLE: Final = "nonces.sqlite3"

ROUTE_TERMS: Final = RouteTerms(chain_id=CHAIN_ID, contract=CONTRACT, wrapped=WETH)
SIGNING_TERMS: Final = SigningTerms(
    chain_ids={CHAIN: CHAIN_ID},
    contracts={CHAIN: {CONTRACT: "0x" + keccak(CODE).hex()}},
    gas_day_wei={CHAIN: 10**22},
    notional_day_usd=Decimal(10**9),
    signatures_day=10**6,
)


class EndedError(BaseException):
    """The process is gone: nothing catches this but who counts."""


@dataclass
class Fuse:
    """Ends the process at the boundary with a number, 0 never; `on_end` sees what is left."""

    at: int = 0
    on_end: Callable[[], None] = lambda: None
    seen: list[str] = field(default_factory=list)

    def __call__(self, where: str) -> None:
        self.seen.append(where)
        if len(self.seen) == self.at:
            self.on_end()
            raise EndedError(where)


def run(work: Coroutine[Any, Any, Any]) -> Any:
    """Run what never waits: everything it asks is answered in this process."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits for something")


class CrashWorld:
    """See the module.

    Attributes:
        chain: the chain; `node` is how the sender sees it.
        is_locked: the signer refuses.
        loses: the signer's answers do not come.
        is_odd: routes do not simulate as planned.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.luck = Random(seed)
        key = LocalKey(SECRET)
        self.wallet = key.address
        self.chain = ModelNode(
            luck=self.luck,
            wallet=key.address,
            contract=CONTRACT,
            recovery=RECOVERY,
            token=WETH,
            code=CODE,
            start_ts=NOW_NS // NS,
        )
        self.node = MoodyNode(self.chain, self.luck)
        self.warnings: list[str] = []
        self.is_locked = self.loses = self.is_odd = False
        self.folder = folder
        self._lives = 0
        self.journal = Journal(folder / "signer.sqlite3")
        self.signing = SigningDesk(
            terms=SIGNING_TERMS,
            journal=self.journal,
            caps=DailyCaps(self.journal, caps_of(SIGNING_TERMS), boot="one", now_ns=self.now_ns()),
            leave=self._leave,
            clock=self.now_ns,
        )
        self.signing.wallet = LocalWallet(key)
        self.table = NonceTable(self._place / TABLE)

    @property
    def _place(self) -> Path:
        return self.folder / str(self._lives)

    def now_ns(self) -> int:
        """The chain's own time."""
        return self.chain.head.ts * NS

    # ---- plans -------------------------------------------------------------------------------

    def handed(self, number: int, *, seconds: int) -> Handed:
        """Return a plan that ends in so many seconds; each borrows another amount."""
        amount = 1 + Decimal(number) / 10**6
        plan = make_plan(
            number,
            decided_at_ns=self.now_ns(),
            deadline_ns=self.now_ns() + seconds * NS,
            deadline_block=self.chain.head.number + DEADLINE_BLOCKS,
            flash_fee=Decimal(0),
            gas=GasBound(
                asset=AssetCode("ETH"),
                units=300_000,
                price_gwei=Decimal(100),
                amount=Decimal("0.03"),
                quote=Decimal("0.03"),
            ),
            is_live=True,
        )
        first, last = plan.steps
        plan = _with_steps(plan, amount_in=amount, amount_out=amount + Decimal("0.01"))
        handed = Handed(
            client_order_id=f"{plan.plan_id}-t",
            plan=plan,
            pools=tuple(_terms(one.address) for one in (first, last)),
            engine="main",
            at_ns=plan.decided_at_ns,
        )
        route = route_of(plan, handed.pools, ROUTE_TERMS)
        self.chain.planned_raw[calldata(route)] = gain_expected_raw(plan, route)
        return handed

    # ---- at work -----------------------------------------------------------------------------

    def desk(self, crash: Callable[[str], None]) -> ChainDesk:
        """Return the desk of one life."""
        view = ChainView(self.node, wallet=self.wallet)
        return ChainDesk(
            terms=DeskTerms(
                chain=CHAIN,
                wallet=self.wallet,
                route=ROUTE_TERMS,
                policy=LOCAL,
                rule=LOCAL_RULE,
            ),
            table=self.table,
            view=view,
            way=OpenWay(view),
            ask=self.ask,
            simulate=self._simulate,
            warn=self.warnings.append,
            now_ns=self.now_ns,
            crash=crash,
        )

    def snapshot(self) -> None:
        """Copy what is on disk now to where the next life begins."""
        here = self._place
        self._lives += 1
        self._place.mkdir()
        for one in here.glob(f"{TABLE}*"):
            shutil.copyfile(one, self._place / one.name)

    def again(self) -> None:
        """Begin the next life with what `snapshot` kept."""
        self.table.close()
        self.table = NonceTable(self._place / TABLE)

    def close(self) -> None:
        """Close the files."""
        self.table.close()
        self.journal.close()

    async def ask(self, intent: SigningIntent) -> Signed | SignRefusal:
        """Ask the signer."""
        if self.loses and self.luck.random() < 0.5:
            raise TransientError("the signer is away")
        reply = await self.signing.sign(intent)
        if self.loses:
            raise TransientError("the signer's answer was lost")
        return reply

    def _leave(self, intent: SigningIntent) -> SignRefusal | None:
        if not self.is_locked or intent.purpose.is_protective:
            return None
        return refused(RefusalKind.KILLED, "killed")

    async def _simulate(
        self,
        head: HeadNow,
        contract: str,
        data: bytes,
        *,
        is_fresh: bool = False,
        first: Call | None = None,
    ) -> Simulated:
        del head, contract, is_fresh, first
        gain_raw = self.chain.planned_raw[data]
        if self.is_odd:
            return Simulated(gain_raw=0, tip_raw=0, gas_used=0, why="it reverts")
        return Simulated(gain_raw=gain_raw, tip_raw=0, gas_used=ROUTE_GAS)


def _terms(address: str) -> PoolTerms:
    return PoolTerms(
        pool=Pool(
            chain=CHAIN,
            protocol=Protocol.UNISWAP_V2,
            address=address,
            tokens=((AssetCode("ETH"), 18), (AssetCode("USDC"), 6)),
            fee_ratio=Decimal("0.003"),
            gas_units=100_000,
            token_addresses=(WETH, USDC),
        )
    )


def _with_steps(plan: AtomicPlan, *, amount_in: Decimal, amount_out: Decimal) -> AtomicPlan:
    first, last = plan.steps
    return replace(
        plan,
        steps=(
            replace(first, amount_in=amount_in),
            replace(last, amount_out=amount_out, amount_out_min=amount_in + Decimal("0.0055")),
        ),
    )


def wallet() -> str:
    """Return the address of the key of these worlds."""
    return LocalKey(SECRET).address
