"""How a plan becomes a transaction, and how that ends."""
