"""Record a real conversation and draw it: `python -m tests.scenarios.phone_record PICTURE.png`.

An installation runs on the sandbox; an emulated phone talks to it. Three screens of the emulator's
record are drawn side by side for the README.
"""

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

from engine.bus.reports import OpportunitiesReport
from engine.requests.overview import GetOpportunities
from tests.scenarios.rig import Installation, running_installation
from tests.telegram.emulator import TelegramEmulator
from tests.telegram.picture import Phone

GAP = 48
SCALE_TO = 0.4
TRADES_LEAST = 6


async def record_screens(data_dir: Path) -> list[dict[str, Any]]:
    """Talk to an installation and return the chat as it was at three moments."""
    screens = []
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir, phone, speed=1, SYNDICATE_TELEGRAM_OPPORTUNITY_USD_MIN="4"
        ) as installation,
    ):
        await installation.until_live()
        await installation.go_to_paper()
        async with asyncio.timeout(600):
            while (await installation.until_live()).traded < TRADES_LEAST:
                await asyncio.sleep(1)
        await _settle(installation)
        await installation.say("/status", "Latency")
        screens.append(phone.record())
        await _settle(installation)
        await installation.say("/opportunities", "Opportunities")
        await installation.say(f"/why {await _longest_route(installation)}", "Route")
        screens.append(phone.record())
        await installation.say("/pnl", "PnL, last day")
        await installation.say("/kill done for today", "To trade again")
        screens.append(phone.record())
    return screens


async def _longest_route(installation: Installation) -> str:
    """Return the id of a recent opportunity with the most legs."""
    report = await installation.facade.ask(GetOpportunities(limit=200))
    assert isinstance(report, OpportunitiesReport)
    return max(report.opportunities, key=lambda line: len(line.hops)).opportunity_id


async def _settle(installation: Installation) -> None:
    """Let notices that are under way arrive, so that the answer comes last."""
    seen = -1
    while seen != len(installation.phone.transcript()):
        seen = len(installation.phone.transcript())
        await asyncio.sleep(1.5)


def draw(screens: list[dict[str, Any]]) -> Image.Image:
    """Draw the screens side by side."""
    drawn = [Phone(screen).picture() for screen in screens]
    width = sum(one.width for one in drawn) + GAP * (len(drawn) - 1)
    sheet = Image.new("RGB", (width, drawn[0].height), "white")
    left = 0
    for one in drawn:
        sheet.paste(one, (left, 0))
        left += one.width + GAP
    return sheet.resize((int(sheet.width * SCALE_TO), int(sheet.height * SCALE_TO)))


def main() -> int:
    """Record, draw and write the picture."""
    with tempfile.TemporaryDirectory(prefix="syn") as directory:
        screens = asyncio.run(record_screens(Path(directory) / "var"))
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    draw(screens).quantize(96, dither=Image.Dither.NONE).save(target, optimize=True)
    print(f"wrote {target}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
