"""What reaches a run from outside its own process. ``client`` is installed beside this package, not inside it."""
