"""Commands to the trainer, events from it, and how both travel. Imports no torch."""
