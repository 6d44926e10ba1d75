"""The command line: `python -m cli …`. Thin: it calls `shared`, which the functions run too."""
