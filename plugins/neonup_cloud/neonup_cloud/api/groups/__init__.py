"""The operations of Neon's API, a module a group, as Neon's documentation groups them."""
