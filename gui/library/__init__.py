"""The library of runs, and the files that a person opens and saves."""
