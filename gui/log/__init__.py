"""What happened in a run: the log, undo, rewind and the effects of interventions."""
