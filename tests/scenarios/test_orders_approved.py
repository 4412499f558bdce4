"""Orders at the sandbox's exchanges by a word on each plan: what is approved is placed, no more."""

import asyncio
import time
from collections import Counter
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from engine.bus.permit_reports import ApprovalsReport
from engine.bus.trading import GetVenueOrders
from engine.bus.unix_socket import SocketCaller
from engine.bus.venue_signing import SignCalls
from engine.domain.approvals import Approval, ApprovalState
from engine.domain.modes import Mode
from engine.domain.orders_told import OrderFate
from engine.domain.permits import Permit, PermitKind
from engine.domain.plans import LeggedPlan, digest_of_plan, is_live
from engine.domain.signing import RefusalKind, SignRefusal
from engine.domain.venue_orders import OrderRequest, TimeInForce, wire_id_of
from engine.gateways.asks import PlaceAsk
from engine.gateways.venue_signing import VenueIntent
from engine.requests.approvals import GetApprovals
from engine.wiring.paths import Paths
from tests.patience import PATIENCE_S, insist
from tests.scenarios.rig import CALM, Installation, running_installation
from tests.scenarios.test_approvals import button_of, waiting
from tests.scenarios.test_orders_live import ask_trader, stored, until_compared
from tests.telegram.emulator import TelegramEmulator

pytestmark = [pytest.mark.slow, pytest.mark.campaign, pytest.mark.timeout(400)]

WAIT_S = 10
TRADES_S = 200.0
SIGNS_MS = 5_000


async def report_of(installation: Installation) -> ApprovalsReport:
    report = await insist(installation.facade, GetApprovals())
    assert isinstance(report, ApprovalsReport)
    return report


async def first_asked(installation: Installation) -> tuple[Approval, str]:
    """Wait for a prompt of orders that would be real, and until the phone has it; its nonce too."""
    async with asyncio.timeout(TRADES_S):
        while True:
            for one in (await report_of(installation)).waiting:
                shown = [payload for _, payload in waiting(installation.phone, "Approve $")]
                if is_live(one.approval.plan) and any(one.nonce in payload for payload in shown):
                    return one.approval, one.nonce
            await asyncio.sleep(0.1)


def tap(installation: Installation, label: str, *, nonce: str = "", but: set[int]) -> None:
    """Tap a button of each prompt that was not answered yet, or of the one of a nonce."""
    for entry, payload in waiting(installation.phone, "Approve $"):
        if entry.message_id not in but and nonce in payload:
            but.add(entry.message_id)
            button = button_of(entry, label)
            assert button is not None
            installation.phone.tap_raw(entry, button)


async def ended_as(installation: Installation, approval: Approval) -> ApprovalState:
    async with asyncio.timeout(PATIENCE_S):
        while True:
            for end in (await report_of(installation)).ended:
                if end.approval_id == approval.approval_id:
                    return end.state
            await asyncio.sleep(0.1)


async def let_expire(installation: Installation) -> Approval:
    """Answer nothing until one expires; what is worth more may take the place of another."""
    while True:
        approval, _ = await first_asked(installation)
        if await ended_as(installation, approval) is ApprovalState.EXPIRED:
            return approval


async def decline(installation: Installation, answered: set[int]) -> tuple[Approval, list[str]]:
    """Decline one; return it with what the signer says of its plan without a word for it."""
    while True:
        approval, nonce = await first_asked(installation)
        plan = approval.plan
        assert isinstance(plan, LeggedPlan)
        permit = Permit(
            kind=PermitKind.APPROVAL, id=approval.approval_id, digest=digest_of_plan(plan)
        )
        forged = msgspec.structs.replace(plan, permit=permit)
        said = [(await refused(installation.data_dir, placing(one))) for one in (plan, forged)]
        tap(installation, "Reject", nonce=nonce, but=answered)
        if await ended_as(installation, approval) is ApprovalState.REJECTED:
            said.append(await refused(installation.data_dir, placing(forged)))
            return approval, [one.kind for one in said]


def placing(plan: LeggedPlan) -> VenueIntent:
    """Ask for the first order of a plan, as whoever places orders would."""
    leg, latest_ms = plan.legs[0], time.time_ns() // 1_000_000 + SIGNS_MS
    name = f"{plan.plan_id}-o1"
    request = OrderRequest(
        wire_id=wire_id_of(name, engine_id="main"),
        venue=leg.venue,
        wire_name=leg.instrument.wire_name,
        side=leg.side,
        size_base=leg.size_base,
        price_limit=leg.price_limit,
        time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
        sent_before_ms=latest_ms,
    )
    return VenueIntent(
        venue=leg.venue,
        ask=PlaceAsk(request=request),
        client_order_id=name,
        plan=plan,
        approved=msgspec.structs.replace(plan, permit=None),
        latest_ms=latest_ms,
    )


async def refused(data_dir: Path, intent: VenueIntent) -> SignRefusal:
    caller = SocketCaller(Paths(data_dir).socket("signer"), role="signer")
    try:
        reply = await caller.call(SignCalls(intent=intent), timeout_s=PATIENCE_S)
    finally:
        await caller.aclose()
    assert isinstance(reply, SignRefusal)
    return reply


async def until_filled(installation: Installation, answered: set[int]) -> None:
    """Approve whatever is asked until both orders of a plan were filled."""
    async with asyncio.timeout(TRADES_S):
        while True:
            tap(installation, "Approve $", but=answered)
            report = await ask_trader(installation.data_dir, GetVenueOrders(most=200))
            filled: Counter[str] = Counter(
                one.plan_id
                for one in report.orders
                if one.news is not None and one.news.fate is OrderFate.FILLED
            )
            if any(count > 1 for count in filled.values()):
                return
            await asyncio.sleep(0.3)


async def test_a_plan_is_placed_by_the_word_on_it_and_what_is_declined_or_expires_never_is(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / "var"
    answered: set[int] = set()
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir,
            phone,
            speed=CALM,
            SYNDICATE_EXCHANGES_TRADES="sandbox",
            SYNDICATE_APPROVALS_WAIT_S=str(WAIT_S),
        ) as installation,
    ):
        await installation.until_live()
        await installation.go_up_to("approve")

        declined, refusals = await decline(installation, answered)
        expired = await let_expire(installation)
        before = await ask_trader(data_dir, GetVenueOrders(most=200))

        await until_filled(installation, answered)
        phone.person_writes("/mode paper")
        await installation.until_status(lambda status: status.mode == Mode.PAPER)
        shown = await until_compared(data_dir)
        after = await ask_trader(data_dir, GetVenueOrders(most=200))
        told = await installation.say("/trades 20", "live")

    assert refusals == [RefusalKind.MODE, RefusalKind.PERMIT, RefusalKind.PERMIT]
    assert before.count == 0
    assert "live" in told
    plans = {one.plan_id for one in after.orders}
    executed = stored(data_dir, "select approval_id, state from approvals")
    by_word = {f"{one}-p" for one, state in executed if state == ApprovalState.EXECUTED}
    assert plans
    assert plans <= by_word
    assert {declined.approval_id, expired.approval_id}.isdisjoint(
        one.removesuffix("-p") for one in plans
    )
    books = stored(data_dir, "select venue, asset, held from balances where money = 'live'")
    assert {(venue, asset): Decimal(held) for venue, asset, held in books if Decimal(held)} == shown
