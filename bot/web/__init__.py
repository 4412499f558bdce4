"""The HTTP front-end: role `gateway`, a third client of the facade beside phone and terminal."""
