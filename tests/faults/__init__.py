"""Faults injected for real, and what was lost: ``python -m tests.faults``; ``tests/engine/test_faults.py`` as well."""
