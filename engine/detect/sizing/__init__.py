"""How much of a route is best: pieces of its legs, its optimum in floats, and in whole numbers."""
