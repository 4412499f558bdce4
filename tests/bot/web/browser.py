"""A real Chromium, spoken to in its own protocol over a WebSocket of loopback.

What drives browsers for others brings 160 MB with it; a page of ours needs to be opened, asked and
looked at.
"""

import asyncio
import base64
import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

from tests.patience import PATIENCE_S

ROOT: Final = Path(__file__).resolve().parents[3]
GOT: Final = ROOT / ".venv" / "chromium"
_PROGRAMS: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
_SAID: Final = "DevTools listening on "
LOOK_S: Final = 0.01

_SWITCHES: Final = (
    *("--headless", "--remote-debugging-port=0", "--no-first-run", "--disable-gpu", "--mute-audio"),
    *("--no-sandbox", "--disable-dev-shm-usage", "--hide-scrollbars", "--disable-extensions"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    # Nothing but loopback can be reached, whatever a page asks for.
    *("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--no-proxy-server"),
)

Fulfil = Callable[[str], tuple[int, Mapping[str, str], str] | None]
"""Answers a request of a page in the net's place: status, headers, body; None lets it go."""


def find_chromium() -> str | None:
    """Return the program; None where there is none."""
    own = GOT / "lib" / "chromium" / _PROGRAMS[0]  # what is in bin expects it in /usr
    if own.exists():
        return str(own)
    return next(filter(None, map(shutil.which, _PROGRAMS)), None)


@contextlib.contextmanager
def run_chromium(program: str, profile: Path) -> Iterator[str]:
    """Run it; yields the address at which it is spoken to."""
    libraries = sorted({str(one.parent) for one in (GOT / "lib").glob("*-linux-gnu/**/*.so*")})
    process = subprocess.Popen(
        [program, *_SWITCHES, f"--user-data-dir={profile}", "about:blank"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "LD_LIBRARY_PATH": ":".join(libraries), "HOME": str(profile)},
    )
    assert process.stderr is not None
    said = []
    try:
        for line in process.stderr:
            said.append(line)
            if line.startswith(_SAID):
                yield line.removeprefix(_SAID).strip()
                return
        raise AssertionError(f"{program} does not start: {''.join(said)}")
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
        process.stderr.close()


@dataclass
class Line:
    """The connection to a browser."""

    socket: aiohttp.ClientWebSocketResponse
    hears: dict[str, Callable[[str, dict[str, Any]], Awaitable[None]]] = field(default_factory=dict)
    _waiting: dict[int, "asyncio.Future[Any]"] = field(default_factory=dict)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _sent: int = 0

    async def read(self) -> None:
        """Hand on what the browser says, until it says nothing any more."""
        async for message in self.socket:
            said = json.loads(message.data)
            waiting = self._waiting.pop(said.get("id", 0), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(said)
            elif "method" in said and (hear := self.hears.get(said.get("sessionId", ""))):
                task = asyncio.ensure_future(hear(said["method"], said["params"]))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def send(self, method: str, session: str = "", **given: Any) -> dict[str, Any]:
        """Ask for something; raises `AssertionError` where that is refused."""
        self._sent += 1
        number = self._sent
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        to = {"sessionId": session} if session else {}
        await self.socket.send_json({"id": number, "method": method, "params": given, **to})
        async with asyncio.timeout(PATIENCE_S):
            said = await waiting
        assert "error" not in said, (method, said["error"])
        result: dict[str, Any] = said["result"]
        return result


@dataclass
class Page:
    """A page in a context of its own: no other test's storage, session or cache.

    Attributes:
        troubles: errors, warnings and what the page's policy forbade.
        fulfil: see `Fulfil`.
        asked: addresses that it asked for.
    """

    line: Line
    session: str
    troubles: list[str] = field(default_factory=list)
    fulfil: Fulfil = lambda _url: None
    asked: list[str] = field(default_factory=list)

    async def hear(self, method: str, given: dict[str, Any]) -> None:
        """Note what matters of what the browser tells."""
        match method:
            case "Log.entryAdded" if given["entry"]["level"] in {"error", "warning"}:
                entry = given["entry"]
                self.troubles.append(f"{entry['source']}: {entry['text']} {entry.get('url', '')}")
            case "Runtime.exceptionThrown":
                self.troubles.append(str(given["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if given["type"] in {"error", "warning"}:
                self.troubles.append(str([one.get("value") for one in given["args"]]))
            case "Network.requestWillBeSent":
                self.asked.append(given["request"]["url"])
            case "Fetch.requestPaused":
                await self._answer(given)

    async def _answer(self, given: dict[str, Any]) -> None:
        answer = self.fulfil(given["request"]["url"])
        if answer is None:
            await self.send("Fetch.continueRequest", requestId=given["requestId"])
            return
        status, headers, body = answer
        await self.send(
            "Fetch.fulfillRequest",
            requestId=given["requestId"],
            responseCode=status,
            responseHeaders=[{"name": name, "value": said} for name, said in headers.items()],
            body=base64.b64encode(body.encode()).decode(),
        )

    async def send(self, method: str, **given: Any) -> dict[str, Any]:
        """See `Line.send`."""
        return await self.line.send(method, self.session, **given)

    async def go(self, url: str) -> None:
        """Open an address."""
        said = await self.send("Page.navigate", url=url)
        assert "errorText" not in said, said
        await self.wait("document.readyState === 'complete'")

    async def value(self, script: str) -> Any:
        """Return what an expression, or a promise, comes to; errors of the page are raised."""
        said = await self.send(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    async def wait(self, script: str) -> Any:
        """Wait until an expression is true, and return it."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while True:
                    with contextlib.suppress(AssertionError):  # the page is just being left
                        # An element by its value is an empty object.
                        if value := await self.value(
                            f"(one => one instanceof Node || one)({script})"
                        ):
                            return value
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            shown = await self.value("document.body.innerText")
            raise AssertionError(f"never true: {script}\n{self.troubles}\n{shown}") from None

    async def text(self) -> str:
        """Return what of the page can be read."""
        return str(await self.value("document.body.innerText"))

    async def tap(self, label: str) -> None:
        """Tap the button with a label, where a finger would."""
        at = await self.wait(
            f"(() => {{ const all = [...document.querySelectorAll('dialog[open] button')];"
            f" const one = (all.length ? all : [...document.querySelectorAll('button')])"
            f".find((one) => one.textContent === {json.dumps(label)} && !one.disabled);"
            f" if (!one) return null; one.scrollIntoView({{ block: 'center' }});"
            f" const r = one.getBoundingClientRect();"
            f" return [r.left + r.width / 2, r.top + r.height / 2]; }})()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            await self.send(
                "Input.dispatchMouseEvent", type=kind, x=at[0], y=at[1], button="left", clickCount=1
            )

    async def picture(self) -> bytes:
        """Return the screen as PNG."""
        said = await self.send("Page.captureScreenshot", format="png")
        return base64.b64decode(said["data"])

    async def look(self, theme: str) -> None:
        """Have the machine be light or dark."""
        features = [{"name": "prefers-color-scheme", "value": theme}]
        await self.send("Emulation.setEmulatedMedia", features=features)


@contextlib.asynccontextmanager
async def open_page(address: str, *, scale: float = 1.0) -> AsyncIterator[Page]:
    """Open a page of 360 x 640, as a small phone has it, in the browser at an address."""
    async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
        line = Line(socket)
        reading = asyncio.ensure_future(line.read())
        context = (await line.send("Target.createBrowserContext"))["browserContextId"]
        try:
            target = await line.send(
                "Target.createTarget", url="about:blank", browserContextId=context
            )
            attached = await line.send(
                "Target.attachToTarget", targetId=target["targetId"], flatten=True
            )
            page = Page(line, attached["sessionId"])
            line.hears[page.session] = page.hear
            for domain in ("Page", "Runtime", "Log", "Network"):
                await page.send(f"{domain}.enable")
            await page.send("Fetch.enable", patterns=[{"urlPattern": "https://*"}])
            await page.send(
                "Emulation.setDeviceMetricsOverride",
                width=360,
                height=640,
                deviceScaleFactor=scale,
                mobile=True,
            )
            yield page
        finally:
            await line.send("Target.disposeBrowserContext", browserContextId=context)
            reading.cancel()
