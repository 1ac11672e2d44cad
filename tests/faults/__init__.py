"""Faults injected for real, and what was lost: ``python -m tests.faults``."""
