"""Benchmarks: ``python -m tests.benchmarks NAME``. Results are ratios within one run, and never fail."""
