"""The window: PySide6 and pyqtgraph. Talks to the engine through commands and events only."""
