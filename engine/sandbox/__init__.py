"""Local servers that speak the venues' dialects and replay real recordings."""
