"""The trainer: the loop, the state of a run, and the commands that change it."""
