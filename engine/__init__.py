"""The engine: market, detect, decide, execute over one picture of the market."""
