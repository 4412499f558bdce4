"""What a transaction costs on a chain."""
