"""Whether a token is what it seems."""
