"""The device that a run computes on: choice, precision and memory."""
