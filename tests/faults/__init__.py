"""Real faults, and what was lost: ``python -m tests.faults``."""
