"""What can go wrong when the sandbox starts; each text is one sentence for the operator."""

from engine.domain.errors import FatalError


class SandboxStartError(FatalError):
    """The sandbox cannot start; the text names the file, port or setting and what to do."""
