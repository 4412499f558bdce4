"""Numba kernels: formulas over arrays, nothing else."""
