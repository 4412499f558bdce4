"""The private way into a local chain: what comes here is shown to nobody before its block."""

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Full, Queue
from threading import Thread
from typing import Any, Final

from eth_hash.auto import keccak

BODY_MAX: Final = 512 * 1024
WAITING_MAX: Final = 256
_RAW: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})+")


class PrivateDoor:
    """Takes signed transactions and keeps them until a block is made.

    Attributes:
        url: where ``eth_sendRawTransaction`` is answered, and nothing else.
    """

    def __init__(self) -> None:
        self._waiting: Queue[str] = Queue(WAITING_MAX)
        door = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                answer = door.answer(self.rfile.read(min(length, BODY_MAX)))
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is named there
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url: Final = f"http://127.0.0.1:{self._server.server_address[1]}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def taken(self) -> list[str]:
        """Return what came since the last block."""
        found: list[str] = []
        try:
            while True:
                found.append(self._waiting.get_nowait())
        except Empty:
            return found

    def answer(self, body: bytes) -> bytes:
        """Answer a request."""
        asked: Any = None
        try:
            asked = json.loads(body)
            if asked["method"] != "eth_sendRawTransaction":
                return _refusal(asked, "only eth_sendRawTransaction is answered here")
            (raw,) = asked["params"]
            if not isinstance(raw, str) or not _RAW.fullmatch(raw):
                return _refusal(asked, "a signed transaction is 0x and digits")
            self._waiting.put_nowait(raw)
        except Full:
            return _refusal(asked, f"{WAITING_MAX} transactions wait for the next block already")
        except (KeyError, TypeError, ValueError):
            return _refusal(asked, "this is no request")
        told = "0x" + keccak(bytes.fromhex(raw[2:])).hex()
        return json.dumps({"jsonrpc": "2.0", "id": asked.get("id"), "result": told}).encode()

    def close(self) -> None:
        """Answer nobody any more."""
        self._server.shutdown()
        self._server.server_close()


def _refusal(asked: Any, why: str) -> bytes:
    number = asked.get("id") if isinstance(asked, dict) else None
    error = {"code": -32600, "message": why}
    return json.dumps({"jsonrpc": "2.0", "id": number, "error": error}).encode()
