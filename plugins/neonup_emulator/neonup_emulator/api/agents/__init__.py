"""The agent identity API: registering without an account, tokens, claims, and a small proxy."""
