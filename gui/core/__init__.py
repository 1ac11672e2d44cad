"""What the whole window shares: the run, its history, background tasks, the frame clock, settings and translation."""
