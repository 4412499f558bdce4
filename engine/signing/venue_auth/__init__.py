"""How calls to venues are signed: one file a venue; secrets go no further than this."""
