"""The recipe of a run, its parts and the presets, without torch."""
