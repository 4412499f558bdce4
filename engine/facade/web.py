"""What the wiring hands to the HTTP front-end beside the settings of every front-end."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class WebTerms:
    """How the gateway listens.

    Attributes:
        port: of loopback; a proxy with TLS or a tunnel stands before it. 0 takes any.
        trusts_proxy: the last address of `X-Forwarded-For` is who asks; else the connection's.
        directory: where it keeps the hashes of its keys.
        hook_keep_days: so long events of webhooks are known again.
    """

    port: int
    trusts_proxy: bool
    directory: Path
    hook_keep_days: int = 7
