"""Training with a hand on the learning rate: plain PyTorch, no window."""

__version__ = "0.1.0"
