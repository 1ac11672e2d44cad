"""Networks, their parameter groups and optimizers."""
