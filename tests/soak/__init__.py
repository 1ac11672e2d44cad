"""A long run with the window open and many interventions: ``python -m tests.soak``."""
