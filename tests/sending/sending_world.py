"""A local chain with real protocols, our contract, a wallet, its signer, and a desk that sends."""

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from eth_hash.auto import keccak

from engine.chains.gas.rules import LOCAL_RULE
from engine.chains.rpc.addresses import Access
from engine.chains.rpc.pool import ProviderPool, open_pool
from engine.connectors.outbound import open_outbound
from engine.domain.handed import Handed
from engine.domain.instruments import VenueId
from engine.domain.plans import AtomicPlan
from engine.domain.routes_on_chain import ChainRoute
from engine.domain.signing import Signed, SigningIntent, SignRefusal
from engine.domain.told import TransactionNews
from engine.sandbox.world.values import WorldPool
from engine.sending.beginnings import DeskTerms
from engine.sending.desk import ChainDesk
from engine.sending.encoding import decode
from engine.sending.facts import Life
from engine.sending.footprints import Footprints
from engine.sending.nonces import NonceTable
from engine.sending.paths import OpenWay
from engine.sending.policies import LOCAL
from engine.sending.routes import RouteTerms
from engine.sending.simulating import Simulator
from engine.sending.told_table import Told
from engine.sending.view import ChainView
from engine.sending.warming import WarmSimulator
from engine.signing.caps import DailyCaps
from engine.signing.curve import LocalKey
from engine.signing.desk import SigningDesk, caps_of
from engine.signing.journal import Journal
from engine.signing.terms import SigningTerms
from engine.signing.wallet import LocalWallet
from engine.signing.words import Words
from tests.chains.local_world import LocalWorld
from tests.sending.world_plans import WorldPlans
from tests.signing.saying import WORD_KEY, let_run

ARTIFACT = Path(__file__).parents[2] / "contracts" / "artifacts" / "FlashArbitrage.json"
CHAIN = "base"
SECRET = keccak(b"a key for tests on loopback alone")
OWNER, RECOVERY = 3, 4
GWEI = 10**9
DAY_NS = 86_400 * 10**9


class SendingWorld(WorldPlans):
    """Everything from a plan to its news, on one node; nothing here is a pretence."""

    def __init__(self, world: LocalWorld, folder: Path) -> None:
        self.folder = folder
        self.key = LocalKey(SECRET)
        self.wallet = self.key.address
        self.recovery = world.made.accounts[RECOVERY]
        super().__init__(world, CHAIN)
        self.deploy()
        self.warnings: list[str] = []
        self.has_orders = False
        self.refusal: SignRefusal | None = None
        self.journal = Journal(folder / "signer.sqlite3")
        terms = SigningTerms(
            chain_ids={CHAIN: world.world.chain_id},
            contracts={CHAIN: {self.contract: self.code_hash}},
            gas_day_wei={CHAIN: 10**19},
            notional_day_usd=Decimal(10**9),
            signatures_day=10**6,
            signs_mixed=True,
        )
        caps = DailyCaps(self.journal, caps_of(terms), boot="one", now_ns=self.now_ns())
        self.signing = SigningDesk(
            terms=terms,
            journal=self.journal,
            caps=caps,
            leave=self.leave,
            clock=self.now_ns,
            words=Words(key=WORD_KEY, journal=self.journal),
            has_orders=lambda _digest: self.has_orders,
        )
        self.signing.wallet = LocalWallet(self.key)
        self.table = NonceTable(folder / "nonces.sqlite3")
        self.simulator = Simulator(
            world.node.url,
            LOCAL_RULE.base_fee,
            chain_id=world.world.chain_id,
            block_s=1,
            wallet=self.wallet,
        )

    def deploy(self) -> None:
        rpc = self.world.rpc
        owner = self.world.hands(OWNER)
        code = json.loads(ARTIFACT.read_text())["bytecode"]
        self.contract = owner.deploy(
            code, "(address,address,address)", self.weth, self.recovery, owner.me
        )
        owner.send(self.contract, "setExecutor(address,bool)", self.wallet, True)
        owner.flush()
        rpc.ask("anvil_setBalance", self.wallet, hex(10**18))
        self.code_hash = (
            "0x" + keccak(bytes.fromhex(rpc.ask("eth_getCode", self.contract, "latest")[2:])).hex()
        )

    # ---- plans -------------------------------------------------------------------------------

    def gap_mined(self, whole: float) -> None:
        """The same where blocks come only when they are made."""
        trader = self.world.trader(1)
        trader.swap(self.pair, self.weth, self.world.raw("WETH", whole))
        trader.hands.post()
        self.world.mine()

    def route_terms(self) -> RouteTerms:
        made = self.world.made.contracts
        return RouteTerms(
            chain_id=self.world.world.chain_id,
            contract=self.contract,
            wrapped=self.weth,
            v4_manager=made["v4_manager"],
            vault=made["balancer_vault"],
            aave=made["aave_pool"],
        )

    def handed_by(self, first: WorldPool, plan: AtomicPlan) -> Handed:
        """Give another first pool to a plan; what it gains is as the contracts say."""
        fee = Decimal("0.001") * plan.steps[0].amount_in
        step = msgspec.structs.replace(
            plan.steps[0],
            venue=VenueId(f"{first.protocol}@{CHAIN}"),
            address=first.balancer_id or first.address,
        )
        changed = msgspec.structs.replace(plan, steps=(step, plan.steps[1]), flash_fee=fee)
        return Handed(
            client_order_id=f"{plan.plan_id}-t",
            plan=changed,
            pools=self.pools(first, self.pair),
            engine="main",
            at_ns=plan.decided_at_ns,
        )

    # ---- at work -----------------------------------------------------------------------------

    def desk(self, pool: ProviderPool, **more: Any) -> ChainDesk:
        terms = DeskTerms(
            chain=CHAIN,
            wallet=self.wallet,
            route=self.route_terms(),
            policy=LOCAL,
            rule=LOCAL_RULE,
            may_begin_anew=True,
            tip_wei=GWEI // 1_000,
        )
        view = ChainView(pool, wallet=self.wallet)
        return ChainDesk(
            terms=terms,
            table=self.table,
            view=view,
            way=OpenWay(view),
            ask=self.ask,
            simulate=WarmSimulator(
                self.simulator, Footprints(pool, wallet=self.wallet), is_followed=True
            ),
            warn=self.warnings.append,
            now_ns=self.now_ns,
            **more,
        )

    def leave(self, intent: SigningIntent) -> SignRefusal | None:
        return None if intent.purpose.is_protective else self.refusal

    def let_run(self, command_id: str) -> None:
        """Have a person say that our contract may run again."""
        now_ns = self.now_ns()
        self.signing.words.hear(let_run(at_ns=now_ns, chain=CHAIN, command_id=command_id), now_ns)

    async def ask(self, intent: SigningIntent) -> Signed | SignRefusal:
        return await self.signing.sign(intent)

    def run(self, acting: Callable[[ChainDesk], Any], **more: Any) -> Any:
        """Let a desk work on what `acting` does with it."""

        async def work() -> Any:
            access = Access(
                name="local", host="127.0.0.1", http_url=self.world.node.url, socket_url=None
            )
            async with open_outbound(None) as way, open_pool([access], way) as pool:
                return await acting(self.desk(pool, **more))

        return asyncio.run(work())

    def all_told(self) -> list[Told]:
        told: list[Told] = []
        while more := self.table.told.after(told[-1].number if told else 0):
            told += more
        return told

    def news(self, plan: AtomicPlan) -> list[TransactionNews]:
        return [
            one.news for one in self.all_told() if one.news.client_order_id == f"{plan.plan_id}-t"
        ]

    def route(self, plan: AtomicPlan) -> ChainRoute:
        life = self.table.life_of(f"{plan.plan_id}-t")
        assert life is not None
        return decode(life.data, contract=life.to)

    def kept_raw(self) -> int:
        """What has come to where gains go."""
        return int(
            self.world.hands(1).read(self.weth, "balanceOf(address)", ("uint256",), self.recovery)
        )

    def count(self) -> int:
        return int(self.world.rpc.ask("eth_getTransactionCount", self.wallet, "latest"), 16)

    def again(self) -> None:
        """Open the table anew, as the next process does."""
        self.table.close()
        self.table = NonceTable(self.folder / "nonces.sqlite3")

    def life(self, plan: AtomicPlan) -> Life:
        found = self.table.life_of(f"{plan.plan_id}-t")
        assert found is not None
        return found

    def base_fee(self, gwei: float) -> None:
        """Let the next block cost so much."""
        self.world.rpc.ask("anvil_setNextBlockBaseFeePerGas", hex(int(gwei * GWEI)))

    def pass_time(self, seconds: int) -> None:
        self.world.rpc.ask("evm_increaseTime", hex(seconds))

    def foreign(self, nonce: int, *, tip_gwei: float = 1) -> str:
        """Send something else from our wallet, as a second holder of the key would."""
        rpc = self.world.rpc
        rpc.ask("anvil_impersonateAccount", self.wallet)
        return str(
            rpc.ask(
                "eth_sendTransaction",
                {
                    "from": self.wallet,
                    "to": self.world.made.accounts[6],
                    "value": "0x1",
                    "gas": hex(21_000),
                    "nonce": hex(nonce),
                    "maxFeePerGas": hex(int(tip_gwei * GWEI) + 100 * GWEI),
                    "maxPriorityFeePerGas": hex(int(tip_gwei * GWEI)),
                },
            )
        )

    def executions(self) -> int:
        """How many transactions of blocks called our contract and did something."""
        rpc = self.world.rpc
        found = 0
        for number in range(int(self.world.head()["number"], 16) + 1):
            block = rpc.ask("eth_getBlockByNumber", hex(number), True)
            for one in block["transactions"]:
                if one["to"] == self.contract and one["from"] == self.wallet:
                    receipt = rpc.ask("eth_getTransactionReceipt", one["hash"])
                    found += receipt["status"] == "0x1"
        return found

    def close(self) -> None:
        self.table.close()
        self.journal.close()
