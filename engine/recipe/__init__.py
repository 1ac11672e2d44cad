"""The recipe of a run, its parts and the presets. Imports no torch."""
