"""Figures of speed and memory: every one a ratio of two things measured in the same run."""
