"""The provider ``account``: a project, or a branch of one, in the developer's own Neon account."""
