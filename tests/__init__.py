"""Tests, in folders that mirror the project."""
