"""What changed is screened for routes, and those that gain are followed."""
