"""Coinbase's answers, in the shapes of its documents and of its official client."""

from decimal import Decimal

from engine.domain.venue_orders import BalanceShown
from engine.gateways.answers import Stop
from engine.gateways.coinbase.gateway import CoinbaseGateway
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.coinbase import CoinbaseAuth
from tests.gateways.sample import Answer, Sample

SEED = "k0BUni0p0vZG1BdpVjS6ogBJ7kxm630AJ2dN+tuputA="
"""Of the tests of coinbase-advanced-py (Apache-2.0); no account ever had it."""

_TAKEN = (
    b'{"success":true,"failure_reason":"UNKNOWN_FAILURE_REASON","order_id":"o-28",'
    b'"success_response":{"order_id":"o-28","product_id":"BTC-USD","side":"BUY",'
    b'"client_order_id":"{wire_id}"},"order_configuration":{"sor_limit_ioc":{'
    b'"base_size":"0.5","limit_price":"64000.1"}}}'
)

_ORDER = (
    b'{"order_id":"o-28","product_id":"BTC-USD","side":"BUY","client_order_id":"{wire_id}",'
    b'"status":"CANCELLED","time_in_force":"IMMEDIATE_OR_CANCEL",'
    b'"created_time":"2026-11-30T08:00:00.000001Z","filled_size":"0.3","average_filled_price":'
    b'"64000","order_configuration":{"sor_limit_ioc":{"base_size":"0.5",'
    b'"limit_price":"64000.1"}},"reject_message":"","cancel_message":""}'
)

_USER = (
    b'{"channel":"user","client_id":"","timestamp":"2026-11-30T08:00:01Z","sequence_num":3,'
    b'"events":[{"type":"update","orders":[{"order_id":"o-28","client_order_id":"{wire_id}",'
    b'"cumulative_quantity":"0.3","leaves_quantity":"0.2","avg_price":"64000","total_fees":"7.68",'
    b'"status":"OPEN","product_id":"BTC-USD","order_side":"BUY","order_type":"Limit",'
    b'"limit_price":"64000.1","cancel_reason":"","reject_reason":""}]}]}'
)


def _refused(word: str) -> Answer:
    return Answer(
        status=200,
        body=b'{"success":false,"failure_reason":"UNKNOWN_FAILURE_REASON","order_id":"",'
        b'"error_response":{"error":"%s","message":"a sentence","error_details":"",'
        b'"preview_failure_reason":"UNKNOWN_PREVIEW_FAILURE_REASON"}}' % word.encode(),
    )


def _cancelled(is_success: str, reason: str) -> Answer:
    body = '{"results":[{"success":%s,"failure_reason":"%s","order_id":"o-28"}]}'
    return Answer(status=200, body=(body % (is_success, reason)).encode())


def _rights(may_transfer: str) -> Answer:
    body = '{"can_view":true,"can_trade":true,"can_transfer":%s,"portfolio_uuid":"u"}'
    return Answer(status=200, body=(body % may_transfer).encode())


_NONE = Answer(status=200, body=b'{"orders":[],"has_next":false,"cursor":"","sequence":"0"}')

SAMPLE = Sample(
    gateway=CoinbaseGateway(),
    auth=CoinbaseAuth(VenueKey(name="organizations/o/apiKeys/a-key", secret=SEED)),
    secret=SEED,
    wire_name="BTC-USD",
    written=('"sor_limit_ioc":{', '"base_size":"0.5"', '"limit_price":"64000.1"', '"side":"BUY"'),
    written_post_only=('"limit_limit_gtc":{', '"post_only":true'),
    taken=(Answer(status=200, body=_TAKEN),),
    filled_base=None,
    refused=(
        (_refused("INSUFFICIENT_FUND"), None),
        (_refused("INVALID_ARGUMENT"), None),
        (_refused("UNSUPPORTED_ORDER_CONFIGURATION"), None),
        (_refused("PERMISSION_DENIED"), Stop.KEY),
        (
            Answer(status=401, body=b'{"error":"authentication_error","message":"no"}'),
            Stop.KEY,
        ),
    ),
    unclear=(
        _refused("internal_server_error"),
        _refused("UNKNOWN_FAILURE_REASON"),
        _refused("DUPLICATE_CLIENT_ORDER_ID"),
        Answer(status=200, body=b'{"success":false,"failure_reason":"UNKNOWN_FAILURE_REASON"}'),
        Answer(status=200, body=b'{"success":true,"order_id":"o-28"}'),
        Answer(status=429, body=b'{"errors":[{"id":"rate_limit_exceeded","message":"slow"}]}'),
        Answer(status=401, body=b"Unauthorized"),
    ),
    found=(Answer(status=200, body=b'{"orders":[%s],"has_next":false,"cursor":""}' % _ORDER),),
    not_found=(_NONE, _NONE),
    balances=(
        Answer(
            status=200,
            body=b'{"accounts":[{"uuid":"u","name":"BTC Wallet","currency":"BTC",'
            b'"available_balance":{"value":"4.5","currency":"BTC"},'
            b'"hold":{"value":"0.5","currency":"BTC"}}],"has_next":false,"cursor":"","size":1}',
        ),
        (BalanceShown(asset="BTC", free=Decimal("4.5"), held=Decimal("0.5")),),
    ),
    may_withdraw=_rights("true"),
    may_not_withdraw=_rights("false"),
    stream=(_USER,),
    cancel_taken=_cancelled("true", "UNKNOWN_CANCEL_FAILURE_REASON"),
    cancel_vain=(_cancelled("false", "UNKNOWN_CANCEL_ORDER"),),
)
