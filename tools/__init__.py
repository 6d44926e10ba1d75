"""What writes generated files; not deployed."""
