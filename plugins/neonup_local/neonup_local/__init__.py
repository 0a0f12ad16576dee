"""The provider `local`: stock Postgres on this machine, and a local Neon."""
