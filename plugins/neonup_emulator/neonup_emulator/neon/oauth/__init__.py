"""Applications that act for users: their registration, scopes and tokens."""
