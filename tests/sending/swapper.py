"""A wallet that trades a token through our contract, beside orders at a book that is no venue."""

from decimal import Decimal
from typing import Any

import msgspec

from engine.domain.assets import AssetCode
from engine.domain.handed import Handed
from engine.domain.instruments import VenueId
from engine.domain.opportunities import Hop, HopKind, Leg, Side
from engine.domain.plans import MixedPlan, Part
from engine.domain.told import TransactionNews
from engine.sending.calls import balance_call
from engine.sending.desk import ChainDesk
from tests.reference.world import make_instrument
from tests.sending.sending_world import CHAIN, SendingWorld

ETH = 10**18


class Swapper:
    """A wallet that holds wrapped ETH, and plans that sell some at a pool, to buy it at a book."""

    def __init__(self, sending: SendingWorld) -> None:
        self.sending = sending
        self.rpc = sending.world.rpc
        self.usdc = sending.world.token("USDC").address
        self.rpc.ask("anvil_dealERC20", sending.wallet, sending.weth, hex(2 * ETH))

    def plan(self, amount: str = "1", *, first: Part = Part.TRANSACTION) -> MixedPlan:
        sending = self.sending
        base = sending.plan(amount, seconds=600)
        (step, _) = base.steps
        step = msgspec.structs.replace(
            step, amount_out_min=(step.amount_out * Decimal("0.995")).quantize(Decimal("0.000001"))
        )
        given, got = step.amount_in, step.amount_out
        book = VenueId("a")
        leg = Leg(
            instrument=make_instrument("a", "ETH-USDC", lot="0.001"),
            side=Side.BUY,
            size_base=given * Decimal("1.25"),
            price_limit=got / given,
            notional_quote=got,
            fee_quote=Decimal(0),
            frame_seq=1,
        )
        hops = tuple(
            Hop(
                kind=kind,
                venue=venue,
                place="p",
                row=0,
                source=AssetCode(source),
                target=AssetCode(target),
                amount_in=1.0,
                amount_out=1.0,
                frame_seq=1,
                chain=CHAIN,
            )
            for kind, venue, source, target in (
                (HopKind.POOL, step.venue, "ETH", "USDC"),
                (HopKind.BOOK, book, "USDC", "ETH"),
            )
        )
        return MixedPlan(
            plan_id=base.plan_id,
            opportunity=msgspec.structs.replace(base.opportunity, hops=hops),
            decided_at_ns=base.decided_at_ns,
            deadline_ns=base.deadline_ns,
            deadline_block=None,
            chain=CHAIN,
            legs=(leg,),
            before=0,
            steps=(step,),
            first=first,
            first_why="a test",
            gas=base.gas,
            profit_quote=Decimal("0.2"),
            transfer_quote=Decimal(0),
            net_edge_bps=Decimal(100),
            notional_usd=Decimal(2_500),
            usd_per_quote=Decimal(2_500),
            is_live=True,
        )

    def hand_over(self, plan: MixedPlan, **changes: Any) -> str:
        pools = self.sending.pools(self.sending.concentrated)
        handed = Handed(
            client_order_id=f"{plan.plan_id}-t",
            plan=plan,
            pools=pools,
            engine="main",
            at_ns=plan.decided_at_ns,
            **changes,
        )
        assert self.sending.table.hand_over(handed) == ""
        return handed.client_order_id

    def holds(self) -> tuple[int, int]:
        """What the wallet has of both tokens, raw."""
        weth, usdc = (
            int(self.rpc.ask("eth_call", balance_call(token, self.sending.wallet), "latest"), 16)
            for token in (self.sending.weth, self.usdc)
        )
        return weth, usdc

    def allowed(self) -> int:
        """What our contract may take of the wallet, raw."""
        found = self.sending.world.hands(1).read(
            self.sending.weth,
            "allowance(address,address)",
            ("uint256",),
            self.sending.wallet,
            self.sending.contract,
        )
        return int(found)

    def told(self, name: str) -> list[TransactionNews]:
        return [one.news for one in self.sending.all_told() if one.news.client_order_id == name]

    def rushed(self) -> None:
        """Have somebody sell in front of us what we want to sell."""
        world = self.sending.world
        trader = world.trader(1)
        trader.swap(self.sending.concentrated, self.sending.weth, world.raw("WETH", 300))
        trader.hands.fees = {
            "maxFeePerGas": hex(2_000 * 10**9),
            "maxPriorityFeePerGas": hex(1_000 * 10**9),
        }
        trader.hands.post()

    async def blocks(self, desk: ChainDesk, count: int = 4) -> None:
        for _ in range(count):
            await desk.step()
            self.sending.world.mine()
        await desk.step()
