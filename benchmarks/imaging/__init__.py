"""Seal imaging measured on fresh drawn pages against a naive peer."""
