"""Live holdings are opened with what a chain shows; what differs later is told, and no profit."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from engine.domain.assets import AssetCode
from engine.domain.instruments import VenueId
from engine.domain.orders_told import HeldAtVenue, VenueSeen
from engine.domain.told import Cost, HeldOnChain, WalletSeen
from engine.portfolio.inventory import Inventory
from engine.portfolio.wallets import Wallets

ETH = AssetCode("ETH")
BASE = VenueId("base")
PLACE = (BASE, ETH)


def seen(amount: str, *, block: int = 12, era: int = 0) -> WalletSeen:
    return WalletSeen(
        chain="base",
        era=era,
        began=f"0xbegan{era}",
        block=block,
        block_hash="0xhash",
        told=1,
        held=(HeldOnChain(venue=BASE, asset=ETH, amount=Decimal(amount)),),
    )


def cost(amount: str) -> Cost:
    return Cost(
        client_order_id="hole-1",
        version=1,
        venue=BASE,
        asset=ETH,
        amount=Decimal(amount),
        usd=None,
        what="nonce 7 was filled",
    )


def usd_per(_asset: AssetCode) -> Decimal | None:
    return Decimal(2_000)


def test_a_place_is_opened_with_what_is_there_and_nobody_is_alarmed() -> None:
    inventory = Inventory()
    wallets = Wallets(inventory)
    assert not wallets.is_open(PLACE)

    (found,) = wallets.take(seen("1.5"), usd_per)

    assert inventory.held(PLACE) == Decimal("1.5")
    assert (found.is_told, found.is_anew) == (False, False)
    assert found.deposit.started_usd == 3_000
    assert found.why.startswith("base holds 1.5 ETH at block 12 (0xhash)")
    assert wallets.is_open(PLACE)


def test_what_was_booked_before_a_place_is_opened_is_not_counted_twice() -> None:
    inventory = Inventory()
    inventory.add([cost("-0.3")])  # a gain came before anybody looked

    Wallets(inventory).take(seen("1.5"), usd_per)

    assert inventory.held(PLACE) == Decimal("1.5")


def test_while_books_and_chain_agree_nothing_is_found() -> None:
    inventory = Inventory()
    wallets = Wallets(inventory)
    wallets.take(seen("1.5"), usd_per)
    inventory.add([cost("0.000000000000000001")])

    assert wallets.take(seen("1.499999999999999999", block=13), usd_per) == []


def test_what_differs_is_named_with_its_block_and_put_right_as_no_profit() -> None:
    inventory = Inventory()
    wallets = Wallets(inventory)
    wallets.take(seen("1.5"), usd_per)

    (more,) = wallets.take(seen("1.75", block=20), usd_per)
    (less,) = wallets.take(seen("1.7", block=21), usd_per)

    assert (more.is_told, less.is_told) == (True, True)
    assert more.why == (
        "base holds 1.75 ETH at block 20 (0xhash), our books 1.5: 0.25 more came than by any"
        " transaction of ours; booked apart, as no gain and no loss"
    )
    assert "0.05 more went than by any transaction of ours" in less.why
    assert (more.deposit.added.value, less.deposit.added.value) == (
        Decimal("0.25"),
        Decimal("-0.05"),
    )
    assert inventory.held(PLACE) == Decimal("1.7")


def test_another_chain_in_its_place_is_no_gain_and_no_loss_and_said_so() -> None:
    inventory = Inventory()
    wallets = Wallets(inventory)
    wallets.take(seen("1.5"), usd_per)

    (found,) = wallets.take(seen("1", block=3, era=1), usd_per)
    same = wallets.take(seen("1", block=4, era=1), usd_per)

    assert found.is_anew
    assert found.why.startswith("the chain was begun anew: base holds 1 ETH at block 3")
    assert inventory.held(PLACE) == 1
    assert same == []


def test_an_engine_that_starts_anew_remembers_what_was_opened_on_which_chain() -> None:
    before = Inventory()
    (found,) = Wallets(before).take(seen("1.5"), usd_per)
    stored = msgspec.json.decode(msgspec.json.encode(found.opened), type=type(found.opened))
    after = Inventory(holdings=before.holdings)
    wallets = Wallets(after, [stored])

    (differs,) = wallets.take(seen("1.6", block=13), usd_per)

    assert differs.is_told
    assert not differs.is_anew


amounts = st.decimals(min_value=0, max_value=10**6, places=18, allow_nan=False)


@given(shown=st.lists(amounts, min_size=1, max_size=8), paid=st.lists(amounts, max_size=8))
def test_after_any_look_the_books_are_what_the_chain_shows(
    shown: list[Decimal], paid: list[Decimal]
) -> None:
    inventory = Inventory()
    wallets = Wallets(inventory)
    deposits = Decimal(0)

    for block, amount in enumerate(shown):
        for found in wallets.take(seen(f"{amount:f}", block=block), usd_per):
            deposits += found.deposit.added.value
        assert inventory.held(PLACE) == amount
        if block < len(paid):
            inventory.add([cost(f"{paid[block]:f}")])
            deposits -= paid[block]

    assert inventory.held(PLACE) == deposits


def test_what_a_transfer_moves_is_put_right_and_alarms_nobody_but_what_else_does() -> None:
    def at(amount: str, *, moving: tuple[AssetCode, ...] = ()) -> VenueSeen:
        held = HeldAtVenue(asset=ETH, free=Decimal(amount), held=Decimal(0))
        return VenueSeen(venue=VenueId("kraken"), told=0, at_ns=1, held=(held,), moving=moving)

    wallets = Wallets(Inventory())
    wallets.take_venue(at("2"), usd_per)

    (sent,) = wallets.take_venue(at("1.5", moving=(ETH,)), usd_per)
    (gone,) = wallets.take_venue(at("1"), usd_per)

    assert (sent.is_told, gone.is_told) == (False, True)
    assert "0.5 went by a transfer; no gain and no loss" in sent.why
    assert "than by any order of ours" in gone.why
