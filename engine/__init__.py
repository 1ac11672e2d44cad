"""Training, LR control, the run library and everything else that needs no window."""

__version__ = "0.1.0"
