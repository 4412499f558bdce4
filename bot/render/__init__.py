"""Reports and notices as screens for a phone; percent exists only here."""
