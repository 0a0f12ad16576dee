"""Projects that come to belong to somebody else."""
