"""Binance's answers, in the shapes of rest-api.md, errors.md and user-data-stream.md."""

from decimal import Decimal

from engine.domain.venue_orders import BalanceShown
from engine.gateways.answers import Stop
from engine.gateways.binance.gateway import BinanceGateway
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.binance import BinanceAuth
from tests.gateways.sample import Answer, Sample

_ORDER = (
    b'{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"{wire_id}",'
    b'"%s":1507725176595,"price":"64000.10000000","origQty":"0.50000000",'
    b'"executedQty":"0.30000000","cummulativeQuoteQty":"19200.03000000","status":"EXPIRED",'
    b'"timeInForce":"IOC","type":"LIMIT","side":"BUY","selfTradePreventionMode":"EXPIRE_TAKER"'
)

_FULL = (
    _ORDER
    % b"transactTime"
    + b',"fills":[{"price":"64000.10000000","qty":"0.20000000","commission":"0.00020000",'
    b'"commissionAsset":"BTC","tradeId":76},{"price":"64000.00000000","qty":"0.10000000",'
    b'"commission":"0.00010000","commissionAsset":"BTC","tradeId":77}]}'
)

_REPORT = (
    b'{"subscriptionId":0,"event":{"e":"executionReport","E":1499405658658,"s":"BTCUSDT",'
    b'"c":"{wire_id}","C":"","S":"BUY","o":"LIMIT","f":"IOC","q":"0.50000000",'
    b'"p":"64000.10000000","x":"TRADE","X":"PARTIALLY_FILLED","r":"NONE","i":28,'
    b'"l":"0.30000000","z":"0.30000000","L":"64000.00000000","n":"0.0003","N":"BTC",'
    b'"T":1499405658657,"t":77,"O":1499405658657}}'
)


def _error(code: int, message: str, status: int = 400) -> Answer:
    return Answer(status=status, body=b'{"code":%d,"msg":"%s"}' % (code, message.encode()))


SAMPLE = Sample(
    gateway=BinanceGateway(),
    auth=BinanceAuth(VenueKey(name="a-key", secret="a-secret")),
    secret="a-secret",
    wire_name="BTCUSDT",
    written=("side=BUY", "timeInForce=IOC", "quantity=0.5", "price=64000.1", "type=LIMIT&"),
    written_post_only=("type=LIMIT_MAKER",),
    taken=(
        Answer(status=200, body=_FULL),
        Answer(status=200, body=_ORDER % b"transactTime" + b',"fills":[]}'),
    ),
    filled_base=Decimal("0.3"),
    refused=(
        (_error(-2010, "Account has insufficient balance for requested action."), None),
        (_error(-1013, "Filter failure: LOT_SIZE"), None),
        (_error(-1021, "Timestamp for this request is outside of the recvWindow."), None),
        (_error(-1102, "Mandatory parameter was not sent."), None),
        (_error(-1015, "Too many new orders."), None),
        (_error(-2015, "Invalid API-key, IP, or permissions.", 401), Stop.KEY),
        (_error(-2010, "This action is disabled on this account."), Stop.ACCOUNT),
    ),
    unclear=(
        _error(-1006, "An unexpected response was received from the message bus."),
        _error(-1007, "Timeout waiting for response from backend server."),
        _error(-1000, "An unknown error occurred while processing the request."),
        _error(-1008, "Server is currently overloaded with other requests."),
        _error(-2010, "Duplicate order sent."),
        _error(-1013, "Filter failure: LOT_SIZE", 502),
        Answer(status=418, body=b""),
    ),
    found=(Answer(status=200, body=_ORDER % b"time" + b"}"),),
    not_found=(_error(-2013, "Order does not exist."), Answer(status=200, body=b"[]")),
    balances=(
        Answer(
            status=200,
            body=b'{"canTrade":true,"balances":[{"asset":"BTC","free":"4.5","locked":"0.5"}]}',
        ),
        (BalanceShown(asset="BTC", free=Decimal("4.5"), held=Decimal("0.5")),),
    ),
    may_withdraw=Answer(
        status=200,
        body=b'{"ipRestrict":false,"enableReading":true,"enableWithdrawals":true,'
        b'"enableSpotAndMarginTrading":true}',
    ),
    may_not_withdraw=Answer(
        status=200,
        body=b'{"ipRestrict":true,"enableReading":true,"enableWithdrawals":false,'
        b'"enableSpotAndMarginTrading":true}',
    ),
    stream=(_REPORT,),
    cancel_taken=Answer(status=200, body=_ORDER % b"transactTime" + b"}"),
    cancel_vain=(_error(-2011, "Unknown order sent."),),
)
