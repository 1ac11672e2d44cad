"""The checkpoint file: written, verified and read."""
