"""The forwarder's heart: flows over normalise, ship, cursors and poll, and what they all stand on."""

VERSION = "0.1.0"  # of the app; pyproject.toml, which is not deployed, says the same
