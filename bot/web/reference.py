"""Write docs/api.md from the routes: `python -m bot.web.reference`; `--check` only compares."""

import json
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from bot.web.app import make_gateway
from bot.web.route import Route
from engine.bus.notices import StampedNotice
from engine.domain.errors import TransientError
from engine.facade.front_end import FrontEndSettings
from engine.facade.web import WebTerms

PAGE: Final = Path(__file__).resolve().parent.parent.parent / "docs" / "api.md"
BASE: Final = "http://127.0.0.1:8645"

_HEAD: Final = """# HTTP API

Made from the list of routes by `python -m bot.web.reference`; the running gateway has the same as
OpenAPI 3.1 at `/openapi.json`. It is off until `SYNDICATE_GATEWAY_IS_ON=true`, and listens on
loopback only. [ways-in.md](ways-in.md) says how to reach it from elsewhere.

- **Keys**: `make api-key NAME=phone RANK=viewer` makes one and shows it once; its argon2id hash
  is kept. Ranks are those of the chat: a viewer looks, an operator also does what protects,
  approves and resumes, an admin does all. `make api-keys` lists them; `make api-key-off
  NAME=phone` ends one and all that was begun with it, at once.
- **Sessions**: each request shows a key, or the access token of a session (10 minutes), as
  `Authorization: Bearer`. A refresh token is good once, within a day; used twice it ends the
  session. What a session may do is looked up with each request.
- **Acting**: commands are those of the phone, with the same grammar, limits and second steps.
  With an `Idempotency-Key` a command is carried out once, however often it is sent. What a person
  has to say to the signer (going live, permits for real money) the signer believes the chat
  alone.
- **Paces**, a minute, by key and by address: 100 in general, 10 of what loosens, 200 of status
  and metrics, 10 wrong keys of an address; five streams of a key at once. More is answered by 429
  with `Retry-After`. A kill is never counted.
- **Refusals** are problem documents (RFC 9457) with a sentence in `detail`. A body has at most
  65,536 bytes. Sums are texts of exact decimals.

"""


class _Nobody:
    """A facade of nobody: the list of routes needs one, and asks it nothing."""

    async def ask(self, request: Any, /) -> Any:
        raise TransientError(f"nobody answers {type(request).__name__} here")

    async def notices(self, *, reader: str) -> AsyncIterator[StampedNotice]:
        nothing: list[StampedNotice] = []
        for one in nothing:
            yield one
        raise TransientError(f"nobody tells {reader} anything here")


def all_routes() -> list[Route]:
    """Return all routes, as the gateway has them."""
    terms = WebTerms(port=0, trusts_proxy=False, directory=PAGE.parent)
    return make_gateway(_Nobody(), FrontEndSettings(), terms, lambda: 0).routes


def example_path(route: Route) -> str:
    """Return a path with all that has to be in its query."""
    path = route.path
    for name in route.parameters:
        path = path.replace(f"{{{name}}}", "0123456789abcdef")
    needed = [f"{name}={example_of(shape)}" for name, shape, is_needed in route.query if is_needed]
    return path + ("?" + "&".join(needed) if needed else "")


def example_body(route: Route) -> dict[str, Any] | None:
    """Return a body with all that has to be in it; None where the route takes none."""
    if route.body is None:
        return None
    if not isinstance(route.body, dict):
        return dict(route.example)
    shapes = route.body["properties"]
    return {name: example_of(shapes[name]) for name in route.body["required"]}


def example_of(shape: dict[str, Any]) -> Any:
    """Return something that a JSON schema allows; text where it is of a query."""
    if "enum" in shape:
        return shape["enum"][0]
    if shape.get("type") == "integer":
        return shape.get("minimum", 1)
    return "BTC-USD"


def render_page(routes: list[Route]) -> str:
    """Return the page."""
    return _HEAD + "\n".join(_sections(routes)) + "\n"


_TITLES: Final = {
    "session": "Coming in",
    "ask": "Asking",
    "command": "Acting",
    "stream": "Being told",
    "watch": "Watching it",
}


def _sections(routes: list[Route]) -> Iterator[str]:
    for tag, title in _TITLES.items():
        yield f"## {title}\n"
        for route in routes:
            if route.tag == tag:
                yield from _section(route)


def _section(route: Route) -> Iterator[str]:
    rank = "open to all" if route.rank is None else f"{route.rank} and above"
    yield f"### {route.method} {route.path}\n"
    yield f"{route.summary} *{rank}*\n"
    if route.query:
        named = (f"`{name}`" + ("" if is_needed else "?") for name, _, is_needed in route.query)
        yield f"Query: {', '.join(named)}.\n"
    if isinstance(route.body, dict) and route.body["properties"]:
        needed = route.body["required"]
        named = (f"`{name}`" + ("" if name in needed else "?") for name in route.body["properties"])
        yield f"Body: {', '.join(named)}.\n"
    yield "```sh"
    yield _curl(route)
    yield "```\n"


def _curl(route: Route) -> str:
    method = "" if route.method == "GET" else f" -X {route.method}"
    key = "" if route.rank is None else ' -H "Authorization: Bearer $KEY"'
    body = example_body(route)
    sent = ""
    if body is not None:
        sent = f" -H 'Content-Type: application/json' -d '{json.dumps(body)}'"
    return f"curl -s{method}{key}{sent} '{BASE}{example_path(route)}'"


def main(arguments: Sequence[str], page: Path = PAGE) -> int:
    """Write the page; with `--check` only say whether it is what the routes say, by 0 or 1."""
    wanted = render_page(all_routes())
    if "--check" in arguments:
        if page.exists() and page.read_text(encoding="utf-8") == wanted:
            return 0
        sys.stderr.write(f"docs/{page.name} is not what the list of routes says: make docs\n")
        return 1
    page.write_text(wanted, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
