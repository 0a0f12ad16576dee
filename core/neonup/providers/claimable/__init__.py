"""The provider ``claimable``: an agent's own identity, and its project until somebody claims it."""
