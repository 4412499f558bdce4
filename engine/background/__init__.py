"""Work between opportunities: scheduled, checkpointed, and pushed aside at once."""
