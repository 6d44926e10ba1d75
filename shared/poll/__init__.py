"""Microsoft's APIs -> pages of rows, from where a cursor stands."""
