"""Exact answers: what legs, gaps, routes and splits give now in whole lots and units."""
