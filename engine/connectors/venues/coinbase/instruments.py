"""Coinbase's product list as instruments."""

from collections.abc import Sequence

from engine.connectors.listing import decode_list, listed
from engine.connectors.steps import make_pair, wire_decimals
from engine.connectors.venues.coinbase.messages import Product, ProductList
from engine.domain.instruments import Instrument, VenueId
from engine.ports import Listed

VENUE = VenueId("coinbase")
INSTRUMENTS_PATH = "/api/v3/brokerage/market/products?product_type=SPOT"


def parse_instruments(payload: bytes, pairs: Sequence[str]) -> list[Listed]:
    """Return the instruments of those pairs; see `ports.InstrumentParser`.

    A product with an alias (every ``-USDC`` one) is left out: its public stream is that of the
    product it is an alias of.

    Raises:
        BadValueError: the list cannot be read.
    """
    products = decode_list(payload, ProductList, "product list of coinbase").products
    return listed(products, Product, _make, pairs)


def _make(product: Product) -> Listed | None:
    if product.alias or product.product_type != "SPOT":
        return None
    switches = ("is_disabled", "trading_disabled", "cancel_only", "limit_only", "post_only")
    held = [name for name in (*switches, "auction_mode", "view_only") if getattr(product, name)]
    if product.status not in ("", "online"):
        held.append(f"status {product.status[:40]}")
    closed = ", ".join(name.replace("_", " ") for name in held)
    instrument = Instrument(
        venue=VENUE,
        pair=make_pair(product.base_currency_id, product.quote_currency_id),
        wire_name=product.product_id,
        price_decimals=wire_decimals(product.price_increment),
        size_decimals=wire_decimals(product.base_increment),
        tick_quote=product.price_increment,
        lot_base=product.base_increment,
        size_min_base=product.base_min_size,
        notional_min_quote=product.quote_min_size,
    )
    return Listed(instrument=instrument, closed=closed)
