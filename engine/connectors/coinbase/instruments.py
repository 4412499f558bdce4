"""Coinbase's product list as instruments."""

from collections.abc import Sequence

from engine.connectors.coinbase.messages import Product, ProductList
from engine.connectors.listing import decode_list, listed
from engine.connectors.steps import make_pair, wire_decimals
from engine.domain.instruments import Instrument, VenueId

VENUE = VenueId("coinbase")
INSTRUMENTS_PATH = "/api/v3/brokerage/market/products?product_type=SPOT"


def parse_instruments(payload: bytes, pairs: Sequence[str]) -> list[Instrument]:
    """Return the instruments of those pairs that may be traded; see `ports.InstrumentParser`.

    A product with an alias (every ``-USDC`` one) is left out: its public stream is that of the
    product it is an alias of.

    Raises:
        BadValueError: the list cannot be read.
    """
    products = decode_list(payload, ProductList, "product list of coinbase").products
    return listed(products, Product, _make, pairs)


def _make(product: Product) -> Instrument | None:
    is_closed = (
        product.is_disabled
        or product.trading_disabled
        or product.cancel_only
        or product.limit_only
        or product.post_only
        or product.auction_mode
        or product.view_only
        or product.status not in ("", "online")
    )
    if is_closed or product.alias or product.product_type != "SPOT":
        return None
    return Instrument(
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
