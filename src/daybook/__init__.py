"""Daybook: the event-sourced product catalogue that keeps every sales channel right and can prove its past."""
