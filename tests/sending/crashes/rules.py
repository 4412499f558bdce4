"""What holds whatever ends where: each plan once, each nonce one plan, all known, all booked."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

from engine.domain.handed import Handed
from engine.domain.told import Fate, TransactionNews
from engine.sending.facts import Life
from tests.signing.intents import CHAIN_ID

if TYPE_CHECKING:
    from tests.sending.crashes.node import Held
    from tests.sending.crashes.world import CrashWorld

WEI = Decimal(10**18)


def check_once(world: "CrashWorld") -> None:
    """No branch ever carries a call out twice."""
    done = [one.sent.data for _, one in world.chain.holders() if one.gain_raw]
    assert len(done) == len(set(done)), "a plan was carried out twice"


def check_known(world: "CrashWorld") -> None:
    """Whatever a node ever took in is on disk."""
    known = {one for life in lives(world) for one in life.hashes}
    assert world.chain.accepted <= known, "a transaction of ours that nobody knows"


def check_end(world: "CrashWorld", handed: Sequence[Handed]) -> None:
    """Everything ended as the chain shows it, and what was booked is what came and went."""
    check_once(world)
    check_known(world)
    _check_nonces(world)
    told = _told(world)
    kept_raw = paid_wei = 0
    by_nonce = {one.sent.nonce: one for _, one in world.chain.holders()}
    for life in lives(world):
        held = by_nonce.get(life.nonce)
        if world.table.handed(life.client_order_id) is None:
            paid_wei += _paid_wei(life, held)
    for one in handed:
        news = told[one.client_order_id]
        assert [each.version for each in news] == [*range(1, len(news) + 1)], news
        last = news[-1]
        _check_fate(world, one, last, by_nonce)
        if last.receipt is not None:
            paid_wei += int(last.receipt.gas * WEI)
            kept_raw += _gained_raw(last)
    spent_wei = sum(
        one.gas_used * one.price_wei for _, one in world.chain.holders() if not one.sent.is_foreign
    )
    assert kept_raw == world.chain.head.kept_raw, f"booked {kept_raw}, came {world.chain.head}"
    assert paid_wei == spent_wei, f"booked {paid_wei} wei for gas, went {spent_wei}"


def lives(world: "CrashWorld") -> list[Life]:
    return world.table.newest_lives(10_000)


def _check_nonces(world: "CrashWorld") -> None:
    """The signer never signed a nonce for two plans."""
    for nonce in range(world.chain.head.count + 20):
        signed = world.journal.of_nonce(world.wallet, CHAIN_ID, nonce)
        plans = {one.plan_digest for one in signed if one.plan_digest}
        assert len(plans) <= 1, f"nonce {nonce} was signed for {len(plans)} plans"


def _told(world: "CrashWorld") -> dict[str, list[TransactionNews]]:
    found: dict[str, list[TransactionNews]] = defaultdict(list)
    for one in world.table.told.after(0):
        found[one.news.client_order_id].append(one.news)
    return found


def _check_fate(
    world: "CrashWorld", one: Handed, last: TransactionNews, by_nonce: dict[int, "Held"]
) -> None:
    """What was told last of a plan is what the chain holds of it."""
    life = world.table.life_of(one.client_order_id)
    held = by_nonce.get(life.nonce) if life is not None else None
    is_ours = life is not None and held is not None and held.sent.hash in life.hashes
    expected = Fate.NEVER
    if is_ours and held is not None:
        if held.sent.to != world.chain.contract:
            expected = Fate.CANCELLED
        else:
            expected = Fate.SUCCEEDED if held.is_success else Fate.REVERTED
        assert last.hash == held.sent.hash, last
    assert last.fate is expected, f"told {last.fate}: {last.why}; the chain shows {expected}"


def _paid_wei(life: Life, held: "Held | None") -> int:
    if held is None or held.sent.hash not in life.hashes:
        return 0
    landed = life.landed
    assert landed is not None, life
    assert landed.hash == held.sent.hash, life
    return landed.gas_used * landed.gas_price_wei


def _gained_raw(last: TransactionNews) -> int:
    receipt = last.receipt
    if receipt is None or not receipt.swaps:
        return 0
    gain = receipt.swaps[-1].amount_out - receipt.swaps[0].amount_in - receipt.flash_fee
    return int(gain * WEI)
