"""Where a relay is asked: HTTP on loopback, each request with its signer's word."""

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty
from threading import BoundedSemaphore, Lock, Thread
from typing import Any, Final

import msgspec

from engine.domain.errors import BadValueError
from engine.sandbox.relay.book import BundleBook
from engine.sandbox.relay.builder import Judged
from engine.sandbox.relay.bundles import Bundle, parse_bundle, parse_name, parse_number
from engine.sandbox.relay.bundles import parse_transactions as parse_all
from engine.sandbox.relay.shared import SharedTransactions, parse_behind, parse_private
from engine.sandbox.relay.signatures import HEADER, signer_of
from engine.sandbox.relay.trial import BlockTerms, Outcome, logs_of, tried
from engine.sandbox.world.rpc import NodeSaidNoError, Rpc

BODY_MAX: Final = 1 << 20
SILENCE_S: Final = 10.0
"""After so long without a byte a connection is closed."""

TRIALS_AT_ONCE: Final = 2
PING_S: Final = 15.0
LOOK_S: Final = 0.5
_BAD_REQUEST: Final = -32_600
_REFUSED: Final = -32_000


class RelayDoor:
    """Answers ``eth_sendBundle``, ``eth_callBundle`` and ``eth_cancelBundle``.

    Who asks by GET hears the hints of what is sent by ``eth_sendPrivateTransaction``, behind which
    ``mev_sendBundle`` bids.

    Attributes:
        url: where.
        shared: what is sent in private.
        refused: requests that were refused so far.
        node_url: of the chain's node, where bundles are tried.
        judged: what became of bids, by block; see `Builder.judged`.
    """

    def __init__(self, book: BundleBook, *, chain_id: int) -> None:
        self.refused = 0
        self.node_url = ""
        self.judged: Mapping[int, tuple[Judged, ...]] = {}
        self.shared: Final = SharedTransactions()
        self._is_open = True
        self._book = book
        self._chain_id = chain_id
        self._lock = Lock()
        self._trials = BoundedSemaphore(TRIALS_AT_ONCE)
        self._methods: Mapping[str, Callable[[Any, str], Any]] = {
            "eth_sendBundle": self._send,
            "eth_callBundle": self._call,
            "eth_cancelBundle": self._cancel,
            "eth_sendPrivateTransaction": self._send_private,
            "mev_sendBundle": self._send_behind,
            "sandbox_bundlesOfBlock": self._of_block,
        }
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = SILENCE_S

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length") or ""
                if not length.isdecimal() or int(length) > BODY_MAX:
                    self.close_connection = True
                    answer = door.refuse(None, f"a request has at most {BODY_MAX} bytes")
                else:
                    body = self.rfile.read(int(length))
                    answer = door.answer(body, self.headers.get(HEADER) or "")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.end_headers()
                self.close_connection = True
                with contextlib.suppress(OSError):  # whoever listened is gone
                    for line in door.hints():
                        self.wfile.write(line)
                        self.wfile.flush()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is named there
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url: Final = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self._is_open = False
        self._server.shutdown()
        self._server.server_close()

    def answer(self, body: bytes, header: str) -> bytes:
        """Answer a request.

        Args:
            body: JSON-RPC, one request.
            header: the signature.
        """
        number: Any = None
        try:
            signer = signer_of(body, header)
            asked = json.loads(body)
            number = asked.get("id") if isinstance(asked, dict) else None
            method, given = self._asked(asked)
            result = method(given, signer)
        except BadValueError as error:
            return self.refuse(number, str(error), code=_REFUSED)
        except (ValueError, RecursionError):
            return self.refuse(number, "this is no JSON")
        except OSError:
            return self.refuse(number, "the node of the chain is away", code=_REFUSED)
        return json.dumps({"jsonrpc": "2.0", "id": number, "result": result}).encode()

    def _asked(self, asked: Any) -> tuple[Callable[[Any, str], Any], Any]:
        if not isinstance(asked, dict):
            raise BadValueError("a request is an object")
        method, params = asked.get("method"), asked.get("params")
        if not isinstance(method, str) or method not in self._methods:
            names = ", ".join(self._methods)
            raise BadValueError(f"{str(method)[:40]} is not answered here: {names}")
        if not isinstance(params, list) or len(params) != 1:
            raise BadValueError(f"{method} takes one parameter")
        return self._methods[method], params[0]

    def refuse(self, number: Any, why: str, *, code: int = _BAD_REQUEST) -> bytes:
        """Count a refusal and return it."""
        with self._lock:
            self.refused += 1
        error = {"code": code, "message": why}
        return json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode()

    def _send(self, given: Any, signer: str) -> Any:
        bundle = parse_bundle(given, signer=signer, chain_id=self._chain_id, head=self._book.head)
        self._book.put(bundle)
        return {"bundleHash": bundle.hash}

    def hints(self) -> Iterator[bytes]:
        """Return what a listener is told from now on; it ends with the door."""
        queue = self.shared.listen()
        if queue is None:
            return
        try:
            yield b":ping\n\n"
            waited_s = 0.0
            while self._is_open:
                try:
                    yield b"data: " + queue.get(timeout=LOOK_S) + b"\n\n"
                    waited_s = 0.0
                except Empty:
                    waited_s += LOOK_S
                    if waited_s >= PING_S:
                        yield b":ping\n\n"
                        waited_s = 0.0
        finally:
            self.shared.leave(queue)

    def _send_private(self, given: Any, signer: str) -> Any:
        del signer  # whoever asks, the transaction says whose it is
        transaction, last_block, shares = parse_private(
            given, chain_id=self._chain_id, head=self._book.head
        )
        with self._trials, Rpc(self.node_url) as rpc:
            logs = logs_of(rpc, transaction)
        self.shared.put(transaction, last_block=last_block, shares=shares, logs=logs)
        return transaction.hash

    def _send_behind(self, given: Any, signer: str) -> Any:
        bundles = parse_behind(
            given,
            signer=signer,
            chain_id=self._chain_id,
            head=self._book.head,
            shared=self.shared,
        )
        for one in bundles:
            self._book.put(one)
        return {"bundleHash": bundles[0].hash}

    def _cancel(self, given: Any, signer: str) -> Any:
        self._book.cancel(signer, parse_name(given))
        return True

    def _of_block(self, given: Any, signer: str) -> Any:
        """Say what became of the bids of a block that is made."""
        del signer
        number = parse_number(given, "the block")
        if number > self._book.head or number not in self.judged:
            raise BadValueError(f"nothing is known of the bids of block {number}")
        return msgspec.to_builtins(self.judged[number])

    def _call(self, given: Any, signer: str) -> Any:
        if not isinstance(given, dict):
            raise BadValueError("a bundle is an object")
        if given.get("stateBlockNumber") != "latest":
            raise BadValueError("bundles are tried on the newest state: stateBlockNumber is latest")
        transactions = parse_all(given.get("txs"), chain_id=self._chain_id)
        number = parse_number(given.get("blockNumber"), "blockNumber")
        with self._trials, Rpc(self.node_url) as rpc:
            try:
                head = rpc.ask("eth_getBlockByNumber", "latest", False)
                terms = BlockTerms(
                    number=number,
                    ts=_time(given.get("timestamp"), int(head["timestamp"], 16) + 1),
                    base_fee_wei=int(head["baseFeePerGas"], 16),
                )
                outcomes = tried(rpc, terms, transactions)
            except NodeSaidNoError as error:
                raise BadValueError(str(error)) from error
        if isinstance(outcomes, str):
            raise BadValueError(outcomes)
        bundle = Bundle(signer=signer, transactions=transactions, block=number)
        return _told(bundle, outcomes, terms, int(head["number"], 16))


def _told(bundle: Bundle, outcomes: Sequence[Outcome], terms: BlockTerms, state: int) -> Any:
    """Return what a relay tells of a trial; amounts are wei, as text."""
    results = []
    fees_wei = 0
    for one, outcome in zip(bundle.transactions, outcomes, strict=True):
        tip_wei = min(one.max_tip_wei, one.max_fee_wei - terms.base_fee_wei) * outcome.gas_used
        fees_wei += tip_wei
        results.append(
            {
                "txHash": one.hash,
                "fromAddress": one.sender,
                "toAddress": one.to,
                "gasUsed": outcome.gas_used,
                "gasFees": str(tip_wei),
                "coinbaseDiff": str(outcome.paid_wei),
                "ethSentToCoinbase": str(outcome.paid_wei - tip_wei),
                **({"error": "execution reverted", "revert": outcome.why} if outcome.why else {}),
            }
        )
    paid_wei, gas = sum(o.paid_wei for o in outcomes), sum(o.gas_used for o in outcomes)
    return {
        "bundleHash": bundle.hash,
        "bundleGasPrice": str(paid_wei // gas),
        "coinbaseDiff": str(paid_wei),
        "ethSentToCoinbase": str(paid_wei - fees_wei),
        "gasFees": str(fees_wei),
        "results": results,
        "stateBlockNumber": state,
        "totalGasUsed": gas,
    }


def _time(given: Any, default: int) -> int:
    if given is None:
        return default
    if isinstance(given, bool) or not isinstance(given, int) or not default <= given < 2**63:
        raise BadValueError(f"timestamp is a whole number of seconds, from {default} on")
    return given
