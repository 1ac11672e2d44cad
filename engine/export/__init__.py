"""Exports of a recipe or a run: PyTorch code, a CSV table, a recipe with a commands file."""
