"""The forwarder's heart: flows over normalise, ship, cursors and poll, and what they all stand on."""
