"""The changes that build data: of projects, branches and snapshots, a class each."""
