"""How all components stand over time, and which failures belong together."""
