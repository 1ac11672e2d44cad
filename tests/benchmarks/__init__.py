"""Measurements, as ratios within one run: ``python -m tests.benchmarks NAME``. They never fail on a slow day."""
