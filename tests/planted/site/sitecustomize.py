"""Plant a bug in one file as it is imported, in this process and in all that it starts.

No file is changed: what is planted cannot be left behind, and compiled kernels stay valid.
"""

import json
import os
import sys
from importlib.machinery import SourceFileLoader
from types import CodeType
from typing import Any

_PLANTED = os.environ.get("SYNDICATE_TESTS_PLANTED", "")


def _plant() -> None:
    bug = json.loads(_PLANTED)
    unpatched: Any = SourceFileLoader.get_code

    def get_code(loader: SourceFileLoader, fullname: str) -> CodeType | None:
        path = loader.get_filename(fullname)
        if path != bug["file"]:
            code: CodeType | None = unpatched(loader, fullname)
            return code
        text = loader.get_data(path).decode()
        if text.count(bug["old"]) != 1:
            sys.stderr.write(f"{path} has not once: {bug['old']}\n")
            os._exit(86)
        return compile(text.replace(bug["old"], bug["new"]), path, "exec", dont_inherit=True)

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign,assignment]


if _PLANTED:
    _plant()
