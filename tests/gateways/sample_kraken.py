"""Kraken's answers, in the shapes that its documents and public clients have."""

from decimal import Decimal

import msgspec

from engine.domain.venue_orders import BalanceShown
from engine.gateways.answers import Stop
from engine.gateways.kraken.gateway import KrakenGateway
from engine.signing.venue_auth.auth import VenueKey
from engine.signing.venue_auth.kraken import KrakenAuth
from tests.gateways.sample import Answer, Sample

SECRET = "YS1zZWNyZXQtdGhhdC1uZXZlci1leGlzdGVk"

_ORDER = (
    b'{"OQCLML-BW3P3-BUCMWZ":{"refid":null,"userref":0,"cl_ord_id":"{wire_id}","status":"canceled",'
    b'"opentm":1688666559.8974,"closetm":1688666560.1,"descr":{"pair":"XBTUSD","type":"buy",'
    b'"ordertype":"limit","price":"64000.1","price2":"0","leverage":"none","order":"buy"},'
    b'"vol":"0.50000000","vol_exec":"0.30000000","cost":"19200.0","fee":"49.92","price":"64000.0",'
    b'"misc":"","oflags":"fciq","reason":"Order would rest"}}'
)

_EXECUTED = (
    b'{"channel":"executions","type":"update","sequence":4,"data":[{"order_id":'
    b'"OQCLML-BW3P3-BUCMWZ","cl_ord_id":"{wire_id}","exec_id":"77","exec_type":"trade",'
    b'"trade_id":365573,"symbol":"BTC/USD","side":"buy","order_qty":0.5,"limit_price":64000.1,'
    b'"last_qty":0.3,"last_price":64000.0,"cum_qty":0.3,"cost":19200.0,"liquidity_ind":"t",'
    b'"order_status":"partially_filled","order_type":"limit","fees":[{"asset":"USD","qty":49.92}],'
    b'"timestamp":"2026-11-30T08:00:00.123456Z"}]}'
)


def _error(*errors: str, status: int = 200) -> Answer:
    return Answer(status=status, body=msgspec.json.encode({"error": errors}))


SAMPLE = Sample(
    gateway=KrakenGateway(),
    auth=KrakenAuth(VenueKey(name="a-key", secret=SECRET)),
    secret=SECRET,
    wire_name="XBTUSD",
    written=("type=buy", "timeinforce=IOC", "volume=0.5", "price=64000.1", "ordertype=limit"),
    written_post_only=("oflags=post",),
    taken=(
        Answer(
            status=200,
            body=b'{"error":[],"result":{"descr":{"order":"buy 0.5 XBTUSD @ limit 64000.1"},'
            b'"txid":["OQCLML-BW3P3-BUCMWZ"]}}',
        ),
    ),
    filled_base=None,
    refused=(
        (_error("EOrder:Insufficient funds"), None),
        (_error("EOrder:Order minimum not met"), None),
        (_error("EService:Deadline elapsed"), None),
        (_error("EService:Market in cancel_only mode"), None),
        (_error("EAPI:Invalid nonce"), None),
        (_error("EAPI:Invalid key"), Stop.KEY),
        (_error("EGeneral:Permission denied"), Stop.KEY),
    ),
    unclear=(
        _error("EGeneral:Internal error"),
        _error("EService:Unavailable"),
        _error("EService:Busy"),
        _error("EGeneral:Temporary lockout"),
        _error(),
        Answer(status=200, body=b'{"error":[],"result":{}}'),
        Answer(status=200, body=b'{"error":[],"result":{"txid":[]}}'),
        _error("EOrder:Insufficient funds", status=520),
    ),
    found=(Answer(status=200, body=b'{"error":[],"result":{"open":%s}}' % _ORDER),),
    not_found=(
        Answer(status=200, body=b'{"error":[],"result":{"open":{}}}'),
        Answer(status=200, body=b'{"error":[],"result":{"closed":{},"count":0}}'),
    ),
    balances=(
        Answer(
            status=200,
            body=b'{"error":[],"result":{"XXBT":{"balance":"5.0","hold_trade":"0.5"}}}',
        ),
        (BalanceShown(asset="BTC", free=Decimal("4.5"), held=Decimal("0.5")),),
    ),
    may_withdraw=None,
    may_not_withdraw=None,
    stream=(_EXECUTED,),
    cancel_taken=Answer(status=200, body=b'{"error":[],"result":{"count":1}}'),
    cancel_vain=(
        _error("EOrder:Unknown order"),
        Answer(status=200, body=b'{"error":[],"result":{"count":0}}'),
    ),
    stream_answers=(
        Answer(
            status=200,
            body=b'{"error":[],"result":{"token":"1Dwc4lzSwNWOAwkMdqhssNNFhs1ed606d1WcF3XfEMw",'
            b'"expires":900}}',
        ),
    ),
)
