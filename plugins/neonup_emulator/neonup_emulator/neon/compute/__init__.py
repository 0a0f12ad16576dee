"""Servers, which sleep until somebody connects, and the front that leads to them."""
