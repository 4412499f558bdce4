"""Values of the trade: assets, instruments, opportunities, plans, fills. Standard library only."""
