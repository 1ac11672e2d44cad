"""Checks of the machine, the crash log, and failure reports."""
