"""How the pages are reached: who may ask, the connections behind them, and when it all ends."""
