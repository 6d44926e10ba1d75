"""How far a source has been read: the position, what was seen at its edge, and the blob that holds both under a lease."""
