"""Advice beside the run."""
