"""Starting, pausing and stopping a run; its progress and its failures."""
