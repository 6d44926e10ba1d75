"""tools/recipes.py -> docs/recipes.md: each question in KQL, in ES|QL and as a search."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tools.freshness import write_or_compare
from tools.recipes import RECIPES, Recipe

PAGE = Path(__file__).resolve().parent.parent / "docs" / "recipes.md"
HEAD = """<!-- Made from tools/recipes.py by `make generate`; do not edit. -->

# Recipes

Questions and how they are asked: KQL for Discover and dashboards (choose the time at the top), ES|QL for a table (add `| WHERE @timestamp > NOW() - 24 hours` behind
`FROM`), and the same as a search. All three are made from one description; each search is run by the tests on a real Elasticsearch with the demo's data and has to
find something. (That server has no ES|QL, so its text is made but not run there.) In ES|QL `==` is null for a field with several values, so those are compared
by `:`.
[Data streams](data-streams.md) says what is where, [exported fields](exported-fields) what there is to ask for.
"""


def section(number: int, recipe: Recipe) -> str:
    """One recipe."""
    shown = ", ".join(f"`{name}`" for name in recipe.show or recipe.by)
    how = "columns" if recipe.show else "group by"
    note = f"\n{recipe.note}\n" if recipe.note else ""
    return f"""
## {number}. {recipe.question}
{note}
In `{recipe.index}`, {how} {shown}:

```
{recipe.where}
```

```
{recipe.esql()}
```

<details><summary>As a search</summary>

```json
{json.dumps(recipe.search(), indent=2)}
```

</details>
"""


def page() -> str:
    """docs/recipes.md."""
    return HEAD + "".join(section(number, recipe) for number, recipe in enumerate(RECIPES, 1))


def main() -> int:
    """Write the page, or with --check say whether it is fresh."""
    return write_or_compare({PAGE: page()}, PAGE.parent, PAGE.name)


if __name__ == "__main__":
    sys.exit(main())
