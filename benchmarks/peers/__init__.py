"""Other libraries on the same tasks, in the same run; `python -m benchmarks.peers`."""
