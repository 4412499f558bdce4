"""The order of things around one input."""
