"""Setting up a run before its start."""
