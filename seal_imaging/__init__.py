"""Pixels in, pixels and measurements out: pure functions on numpy arrays."""
