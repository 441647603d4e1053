"""Figures of the study, each made from what was observed alone."""
