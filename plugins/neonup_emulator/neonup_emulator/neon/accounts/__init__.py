"""Users, organizations and their plans, and the credentials with which they ask."""
