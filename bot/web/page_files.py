"""The page: a few files, served as they are, that run no code but their own and Telegram's.

They are read when the gateway starts and have a route each, so that no path leads anywhere else.
"""

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from bot.web.route import Asked, Handler, Route

PAGE_PATH: Final = "/app"
FOLDER: Final = Path(__file__).resolve().parent / "page"
_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript"}

# What runs is from here, or Telegram's own script, which the page asks for inside Telegram alone.
# No text becomes code: nothing inline, no eval; nothing is sent anywhere but here. Telegram Web
# shows the page in a frame, and nobody else may.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' https://telegram.org; style-src 'self'; img-src 'self';"
    " connect-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors https://web.telegram.org https://*.telegram.org"
)


@dataclass(frozen=True, slots=True)
class _File:
    body: bytes
    packed: bytes
    kind: str
    tag: str


def page_routes() -> list[Route]:
    """Return a route for each file of the page, open to all: they hold no secret and no figure."""
    return [
        Route(
            method="GET",
            path=path,
            operation=f"page{name.title().replace('.', '').replace('-', '')}",
            tag="page",
            summary=f"The page, {name}.",
            handler=_serving(_read(FOLDER / name)),
            rank=None,
            paces=(),
            reply={"type": "string"},
            replies_as=_TYPES[Path(name).suffix],
        )
        for path, name in _names()
    ]


def _names() -> Iterator[tuple[str, str]]:
    for file in sorted(FOLDER.iterdir()):
        if file.name == "index.html":
            yield PAGE_PATH, file.name
        elif file.suffix in _TYPES:
            yield f"{PAGE_PATH}/{file.name}", file.name


def _read(path: Path) -> _File:
    body = path.read_bytes()
    return _File(
        body=body,
        packed=gzip.compress(body, 9, mtime=0),
        kind=_TYPES[path.suffix],
        tag=f'"{hashlib.sha256(body).hexdigest()[:20]}"',
    )


def _serving(file: _File) -> Handler:
    async def serve(asked: Asked) -> web.StreamResponse:
        headers = {
            "Cache-Control": "no-cache",
            "Content-Security-Policy": _POLICY,
            "ETag": file.tag,
            "Vary": "Accept-Encoding",
        }
        if asked.request.headers.get("If-None-Match") == file.tag:
            return web.Response(status=304, headers=headers)
        is_packed = "gzip" in asked.request.headers.get("Accept-Encoding", "")
        if is_packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(
            body=file.packed if is_packed else file.body,
            headers=headers,
            content_type=file.kind,
            charset="utf-8",
        )

    return serve
