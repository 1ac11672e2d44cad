"""Training with a hand on the learning rate: plain PyTorch, no window."""
