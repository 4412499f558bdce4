"""The sections of the settings, each a struct; `engine/settings/schema.py` lists them."""
