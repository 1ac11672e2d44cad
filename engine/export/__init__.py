"""What a run is when it leaves Tiller: PyTorch code, tables, TensorBoard's files. Imports no torch."""
