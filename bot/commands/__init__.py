"""Handlers, one file per family: parse, ask the facade, render."""
