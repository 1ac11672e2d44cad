"""A long run with the window open and a hand that never rests: ``python -m tests.soak``."""
