"""The protocol, which is Authlib's: its grants and endpoints over the local Neon's rows."""
