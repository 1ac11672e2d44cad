"""Exporting a run from the window."""
