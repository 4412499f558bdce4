"""Gemini's answers, in the shapes of docs.gemini.com and of its developer platform."""

from decimal import Decimal

import msgspec

from engine.domain.venue_orders import BalanceShown
from engine.gateways.answers import Stop
from engine.gateways.gemini.gateway import GeminiGateway
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.gemini import GeminiAuth
from tests.gateways.sample import Answer, Sample

_ORDER = (
    b'{"order_id":"18834","id":"18834","client_order_id":"{wire_id}","symbol":"btcusd",'
    b'"exchange":"gemini","avg_execution_price":"64000.00","side":"buy","type":"exchange limit",'
    b'"timestamp":"1478203017","timestampms":1478203017455,"is_live":false,"is_cancelled":true,'
    b'"is_hidden":false,"was_forced":false,"executed_amount":"0.3","remaining_amount":"0.2",'
    b'"options":["immediate-or-cancel"],"price":"64000.1","original_amount":"0.5",'
    b'"reason":"ImmediateOrCancelWouldPost"%s}'
)

_TRADES = (
    b',"trades":[{"price":"64000.00","amount":"0.3","timestamp":1478203017,'
    b'"timestampms":1478203017455,"type":"Buy","aggressor":true,"fee_currency":"USD",'
    b'"fee_amount":"7.68","tid":77,"order_id":"18834","exchange":"gemini","is_auction_fill":false}]'
)

_UPDATE = (
    b'{"e":"orderUpdate","E":1759291847686856569,"s":"BTCUSD","i":18834,"c":"{wire_id}","S":"BUY",'
    b'"o":"LIMIT","X":"PARTIALLY_FILLED","p":"64000.1","P":"0","q":"0.5","z":"0.2","Z":"0.3",'
    b'"L":"64000.00","t":77,"n":"7.68","m":false,"T":1759291847686856569}'
)


def _error(status: int, reason: str) -> Answer:
    error = {"result": "error", "reason": reason, "message": "a sentence"}
    return Answer(status=status, body=msgspec.json.encode(error))


def _roles(*, is_fund_manager: bool) -> Answer:
    roles = {"isAuditor": False, "isFundManager": is_fund_manager, "isTrader": True}
    return Answer(status=200, body=msgspec.json.encode(roles))


SAMPLE = Sample(
    gateway=GeminiGateway(),
    auth=GeminiAuth(VenueKey(name="account-a-key", secret="a-secret")),
    secret="a-secret",
    wire_name="btcusd",
    written=('"immediate-or-cancel"', '"amount":"0.5"', '"price":"64000.1"', '"side":"buy"'),
    written_post_only=('"maker-or-cancel"',),
    taken=(Answer(status=200, body=_ORDER % b""), Answer(status=200, body=_ORDER % _TRADES)),
    filled_base=Decimal("0.3"),
    refused=(
        (_error(406, "InsufficientFunds"), None),
        (_error(400, "InvalidPrice"), None),
        (_error(400, "InvalidNonce"), None),
        (_error(400, "MarketNotOpen"), None),
        (_error(403, "MissingRole"), Stop.KEY),
        (_error(503, "Maintenance"), Stop.MAINTENANCE),
    ),
    unclear=(
        _error(500, "System"),
        _error(400, "System"),
        _error(429, "RateLimit"),
        _error(502, "InsufficientFunds"),
        _error(503, ""),
    ),
    found=(
        Answer(status=200, body=_ORDER % _TRADES),
        Answer(status=200, body=b"[" + _ORDER % _TRADES + b"]"),
    ),
    not_found=(_error(404, "OrderNotFound"), Answer(status=200, body=b"[]")),
    balances=(
        Answer(
            status=200,
            body=b'[{"type":"exchange","currency":"BTC","amount":"5","available":"4.5",'
            b'"availableForWithdrawal":"4.5"}]',
        ),
        (BalanceShown(asset="BTC", free=Decimal("4.5"), held=Decimal("0.5")),),
    ),
    may_withdraw=_roles(is_fund_manager=True),
    may_not_withdraw=_roles(is_fund_manager=False),
    stream=(_UPDATE,),
    cancel_taken=Answer(status=200, body=_ORDER % b""),
    cancel_vain=(_error(404, "OrderNotFound"),),
)
