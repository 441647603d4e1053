"""Figures of the study, a file a subject."""
