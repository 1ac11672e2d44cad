"""Choosing, editing, drawing and previewing schedules."""
