"""What this machine has, and what went wrong."""
