"""Any further exchange through the library ccxt: market data only, by a setting alone."""
