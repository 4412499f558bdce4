"""Asks a node, one thing after the other or many at once: of this machine, or by the operator."""

import http.client
import itertools
import json
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit

ANSWER_S: Final = 60.0

BATCH_MAX: Final = 100
"""Requests that go together."""


class NodeSaidNoError(Exception):
    """The node answered with an error.

    Attributes:
        data: what a reverted call returned, if that was why.
    """

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method}: {error.get('message', error)}")
        self.data: Final = error.get("data")


class Rpc:
    """A connection to a node; not for several threads."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url: Final = url
        self.host: Final = parts.hostname or "127.0.0.1"
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        is_sealed = parts.scheme == "https"
        kind = http.client.HTTPSConnection if is_sealed else http.client.HTTPConnection
        self._connection = kind(self.host, parts.port, timeout=ANSWER_S)
        self._ids = itertools.count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def ask(self, method: str, *params: Any) -> Any:
        """Ask one thing.

        Raises:
            NodeSaidNoError: the answer is an error.
            OSError: there is no answer.
        """
        return _result(method, self._post(self._request(method, params)))

    def ask_all(self, asked: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        """Ask many things; they are answered in their order.

        Raises:
            NodeSaidNoError: one of the answers is an error.
            OSError: there is no answer.
        """
        answers: list[Any] = []
        for start in range(0, len(asked), BATCH_MAX):
            some = asked[start : start + BATCH_MAX]
            requests = [self._request(method, params) for method, params in some]
            by_id = {one["id"]: one for one in self._post(requests)}
            answers += [
                _result(method, by_id[request["id"]])
                for (method, _), request in zip(some, requests, strict=True)
            ]
        return answers

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    def _post(self, content: Any) -> Any:
        body = json.dumps(content).encode()
        try:
            self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            return json.loads(self._connection.getresponse().read())
        except OSError:
            self._connection.close()
            raise
        except ValueError as error:  # a page of a provider's, for one that is over its plan
            self._connection.close()
            raise ConnectionError(f"{self.host} answers with something else than JSON") from error
        except http.client.HTTPException as error:
            self._connection.close()
            raise ConnectionError(f"{self.host} broke off: {error!r}") from error


def _result(method: str, answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise NodeSaidNoError(method, answer["error"])
    return answer["result"]
