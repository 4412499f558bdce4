"""Bitstamp's answers, in the shapes that its public clients read."""

from decimal import Decimal

import msgspec

from engine.domain.venue_orders import BalanceShown
from engine.gateways.answers import Stop
from engine.gateways.bitstamp.gateway import BitstampGateway
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.bitstamp import BitstampAuth
from tests.gateways.sample import Answer, Sample

_PLACED = (
    b'{"id":"1453282316578816","market":"BTC/USD","datetime":"2026-11-30 08:00:00.000000",'
    b'"type":"0","price":"64000.1","amount":"0.5","client_order_id":"{wire_id}"}'
)

_STATUS = (
    b'{"id":1453282316578816,"datetime":"2026-11-30 08:00:00","type":"0","status":"Canceled",'
    b'"market":"BTC/USD","amount_remaining":"0.20000000","client_order_id":"{wire_id}",'
    b'"transactions":[{"tid":77,"price":"64000.0","fee":"7.68","usd":"19200.0","btc":"0.3",'
    b'"datetime":"2026-11-30 08:00:00.1","type":2}]}'
)

_DELETED = (
    b'{"event":"order_deleted","channel":"private-my_orders_btcusd-4","data":{'
    b'"id":1453282316578816,"id_str":"1453282316578816","client_order_id":"{wire_id}",'
    b'"order_type":0,"datetime":"1764489600","microtimestamp":"1764489600000000","amount":0.2,'
    b'"amount_str":"0.2","amount_traded":"0.3","amount_at_create":"0.5","price":64000.1}}'
)

_TRADE = (
    b'{"event":"trade","channel":"private-my_trades_btcusd-4","data":{"id":77,"amount":"0.3",'
    b'"price":"64000.0","microtimestamp":"1764489600000000","fee":"7.68",'
    b'"order_id":1453282316578816,"client_order_id":"{wire_id}","side":"buy"}}'
)


def _error(code: str, reason: str, status: int = 400) -> Answer:
    error = {"status": "error", "reason": {"__all__": [reason]}, "response_code": code}
    return Answer(status=status, body=msgspec.json.encode(error))


def _old_error(code: str, reason: str, status: int = 403) -> Answer:
    error = {"status": "error", "reason": reason, "code": code}
    return Answer(status=status, body=msgspec.json.encode(error))


SAMPLE = Sample(
    gateway=BitstampGateway(),
    auth=BitstampAuth(VenueKey(name="a-key", secret="a-secret")),
    secret="a-secret",
    wire_name="btcusd",
    written=("/buy/btcusd/", "ioc_order=True", "amount=0.5", "price=64000.1"),
    written_post_only=("moc_order=True",),
    taken=(Answer(status=200, body=_PLACED),),
    filled_base=None,
    refused=(
        (_error("400.009", "You have only 1 USD available."), None),
        (_error("400.046", "Minimum order size is 10.00 USD."), None),
        (_error("400.001", "Ensure that there are no more than 8 decimal places."), None),
        (_old_error("API0001", "API key not found"), Stop.KEY),
        (_old_error("API0005", "Invalid signature"), Stop.KEY),
        (_error("403.004", "Your account is closed.", 403), Stop.ACCOUNT),
    ),
    unclear=(
        _error("400.019", "Order with this client order id exists."),
        _error("400.002", "Request rate limit exceeded."),
        _error("500.001", "Internal error.", 500),
        _error("400.999", "Order could not be placed."),
        Answer(status=200, body=b'{"status":"error","reason":"Order could not be placed."}'),
    ),
    found=(Answer(status=200, body=_STATUS),),
    not_found=(_error("404.002", "Order not found.", 404), Answer(status=200, body=b"[]")),
    balances=(
        Answer(
            status=200,
            body=b'[{"currency":"btc","total":"5.0","available":"4.5","reserved":"0.5"}]',
        ),
        (BalanceShown(asset="BTC", free=Decimal("4.5"), held=Decimal("0.5")),),
    ),
    may_withdraw=None,
    may_not_withdraw=None,
    stream=(_TRADE, _DELETED),
    cancel_taken=Answer(
        status=200, body=b'{"id":1453282316578816,"amount":0.2,"price":64000.1,"type":0}'
    ),
    cancel_vain=(_error("404.002", "Order not found.", 404),),
    stream_answers=(
        Answer(status=200, body=b'{"token":"a-token-of-a-minute","user_id":4,"valid_sec":60}'),
    ),
)
