"""Checkpoint files: written, verified and read."""
