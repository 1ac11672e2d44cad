"""The LR rules: the scheduled LR, the current LR after interventions, and the projected LR."""
