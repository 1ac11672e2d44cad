"""Changing the learning rate, the groups, the optimizer and the length of a run."""
