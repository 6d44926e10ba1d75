"""`make show TABLE=DeviceProcessEvents`: the source of a table's compiled function."""

from __future__ import annotations

import sys

from shared.normalise.source import lines
from shared.normalise.tables import FAMILIES, table


def main() -> int:
    """Print the function of the table named on the command line."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    found = table(name)
    if found is None:
        sys.stderr.write(f"Say TABLE= one of {', '.join(sorted(FAMILIES))}\n")
        return 2
    for layout in found.layouts():
        sys.stdout.write("\n".join(lines(layout)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
