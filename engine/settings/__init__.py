"""Settings in layers (defaults, file, environment), validated before anything starts."""
