"""The window, in PySide6 and pyqtgraph. It sends commands to the engine and shows the events that come back."""
