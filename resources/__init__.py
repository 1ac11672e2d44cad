"""Files that ship with Tiller: presets, help, icons, translations."""
