"""What the whole engine shares: specs, translatable text, errors, positions, the lifecycle. Imports no torch."""
