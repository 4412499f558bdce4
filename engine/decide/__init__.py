"""Confirm an opportunity exactly, check limits, make a plan or a refusal."""
