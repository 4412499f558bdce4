"""Collect no garbage while a role loads, and never look again at what it has loaded.

A role's start makes hundreds of thousands of objects, nearly all of which live as long as it does:
to look for garbage among them takes a tenth of the start, and milliseconds of any moment later.
"""

import gc


def collect_no_garbage() -> None:
    """Let a process start; `keep_what_is_loaded` ends it."""
    gc.disable()


def keep_what_is_loaded() -> None:
    """Take what is there now as what stays, and collect garbage of the rest."""
    gc.collect()
    gc.freeze()
    gc.enable()
