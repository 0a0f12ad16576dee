"""The local Neon over HTTP: one module a surface, over `neonup_local.service`."""
