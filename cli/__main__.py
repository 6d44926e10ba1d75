"""`python -m cli`: the commands, each in a module of its own, imported when it is asked for."""

from __future__ import annotations

import logging
import sys
from importlib import import_module

from cli.describe import COMMANDS, usage


def main(arguments: list[str]) -> int:
    """Run the command that the first argument names with the others; 2 for a command that is none."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(usage())
        return 0
    command = COMMANDS.get(arguments[0])
    if command is None:
        sys.stderr.write(f"There is no command {arguments[0]!r}.\n\n{usage()}")
        return 2
    logging.getLogger("azure").setLevel(
        logging.CRITICAL
    )  # who is not signed in gets one sentence, not an account of each way tried
    sys.argv = [f"python -m cli {arguments[0]}", *arguments[1:]]
    import_module(f"cli.{command.module}").app(prog_name=sys.argv[0])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
