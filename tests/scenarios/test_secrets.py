"""Secrets put wherever a person or a fault may put them: none is kept, printed or sent back."""

import io
from pathlib import Path

import pyotp
import pytest
import zstandard

from engine.operate.recording import SUFFIX
from tests.scenarios.rig import CALM, run_engine_command, running_installation
from tests.telegram.emulator import TelegramEmulator
from tests.telegram.faults import Fault, Kind

pytestmark = pytest.mark.slow

TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
PASSWORD = "wordofpass"
OTHERS_TOKEN = "555666777:AAanother-bots-token-of-thirty-five-c"


def kept(data_dir: Path) -> dict[str, bytes]:
    """Return what every file of an installation holds, recordings unpacked."""
    found = {}
    for path in data_dir.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if path.suffix == SUFFIX:
                reader = zstandard.ZstdDecompressor().stream_reader(
                    io.BytesIO(content), read_across_frames=True
                )
                content = reader.read()
            found[str(path.relative_to(data_dir))] = content
    return found


async def test_secrets_in_every_place_are_kept_nowhere(tmp_path: Path) -> None:
    data_dir = tmp_path / "var"
    codes = pyotp.TOTP(TOTP)
    async with (
        TelegramEmulator().serve() as phone,
        running_installation(
            data_dir,
            phone,
            speed=CALM,
            SYNDICATE_OPERATOR_TOTP_SECRET=TOTP,
            SYNDICATE_NETWORK_PROXY=f"socks5://me:{PASSWORD}@proxy.invalid:1080",
            SYNDICATE_LOG_LEVEL="debug",
        ) as installation,
    ):
        await installation.until_live()
        phone.script("getMe", Fault(Kind.CUT), Fault(Kind.SERVER_ERROR))
        phone.script("sendMessage", Fault(Kind.CUT), Fault(Kind.BAD_MARKUP))
        phone.script("getUpdates", Fault(Kind.GARBAGE), Fault(Kind.CUT))
        for secret in (phone.token, TOTP, OTHERS_TOKEN, f"postgresql://me:{PASSWORD}@host/name"):
            for line in ("{}", "/why {}", "/mode {}", "/kill {}"):
                await installation.say(line.format(secret), "")
        await installation.until_status(lambda status: status.is_killed)
        code, said = await run_engine_command(data_dir, "kill", "--why", f"a={TOTP}")
        assert (code, TOTP in said) == (0, False)
        await installation.say("/unkill 123456", "")
        await installation.kill_role("ledger")
        await installation.say_until("/export audit", "audit")
        right = codes.now()
        await installation.say_until(f"/unkill {right}", "")
        assert all(path.stat().st_mode & 0o077 == 0 for path in [data_dir, *data_dir.rglob("*")])
        assert await installation.stop() == 0
        answers = "\n".join(phone.transcript())

    files = kept(data_dir) | {"the terminal": (tmp_path / "var.log").read_bytes()}
    assert any(name.endswith(SUFFIX) for name in files)
    for secret in (phone.token, TOTP, PASSWORD, OTHERS_TOKEN):
        bare = secret.partition(":")[2] or secret
        assert [name for name, content in files.items() if bare.encode() in content] == []
        assert bare not in answers
    for line in ("/unkill 123456", f"/unkill {right}"):
        assert [name for name, content in files.items() if line.encode() in content] == []
