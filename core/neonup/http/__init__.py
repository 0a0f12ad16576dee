"""Calls to services over HTTP: what a call is, when it is repeated, and how it is sent."""
