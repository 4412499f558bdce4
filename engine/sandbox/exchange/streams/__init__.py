"""The user streams of the sandbox's exchanges, each in its venue's own words."""
