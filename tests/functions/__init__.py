"""Tests of the triggers, the health function, telemetry and the host's files."""
