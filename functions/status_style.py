"""The status page's style sheet, with the hash by which the Content-Security-Policy lets it in. No font, picture or script from anywhere."""

from __future__ import annotations

import base64
import hashlib

# Colours are named once for light and once for dark; text on ground has a contrast of at least 4.5 to 1.
STYLE = """
:root { color-scheme: light dark; --ground: #fbfaf8; --sheet: #fff; --text: #1c1c1e; --soft: #66666d; --line: #e3e1dc;
  --broken: #b3261e; --broken-ground: #fdf0ee; --attention: #8a5800; --attention-ground: #fdf5e4; --well: #1e6f42; --still: #66666d; }
@media (prefers-color-scheme: dark) { :root { --ground: #141416; --sheet: #1b1b1e; --text: #ececef; --soft: #a0a0a8; --line: #2e2e33;
  --broken: #ff8f85; --broken-ground: #33201f; --attention: #f0be5f; --attention-ground: #2f2819; --well: #80d2a2; --still: #a0a0a8; } }
* { box-sizing: border-box; margin: 0; padding: 0; }
body { background: var(--ground); color: var(--text); font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
main { max-width: 76rem; margin: 0 auto; padding: 2.5rem 1.5rem 3rem; }
.eyebrow { color: var(--soft); letter-spacing: .01em; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 600; letter-spacing: -.015em; margin: .15rem 0 .4rem; text-wrap: balance; }
.asof { color: var(--soft); }
.notes { list-style: none; margin-top: 1.5rem; background: var(--broken-ground); border-left: 3px solid var(--broken); border-radius: 3px; padding: .7rem 1rem; }
.notes li + li { margin-top: .35rem; }
.rows { list-style: none; margin-top: 2rem; }
.row { background: var(--sheet); border: 1px solid var(--line); border-radius: 8px; padding: 1.1rem 1.25rem 1.15rem; margin-top: .75rem; }
.head { display: flex; flex-wrap: wrap; align-items: baseline; gap: .15rem .75rem; }
h2 { font-size: 1.1rem; font-weight: 600; }
.verdict { display: inline-flex; align-items: center; gap: .4rem; font-weight: 600; margin-left: auto; order: 3; white-space: nowrap; }
.verdict svg { width: .8rem; height: .8rem; fill: currentColor; }
.broken .verdict { color: var(--broken); } .attention .verdict { color: var(--attention); } .well .verdict { color: var(--well); }
.unknown .verdict, .waiting .verdict { color: var(--still); }
.unknown .verdict svg, .waiting .verdict svg { fill: none; stroke: currentColor; stroke-width: 1.6; }
.unknown .verdict svg { stroke-dasharray: 2.4 1.6; }
.origin { color: var(--soft); order: 2; }
.why { list-style: none; margin-top: .7rem; padding: .5rem .8rem; border-radius: 5px; }
.broken .why { background: var(--broken-ground); } .attention .why { background: var(--attention-ground); }
.facts { display: grid; grid-template-columns: repeat(7, minmax(0, 1fr)); gap: .9rem 1.25rem; margin-top: .95rem; }
dt { color: var(--soft); font-size: .8rem; }
dd { font-size: 1.02rem; }
dd small, .more { display: block; color: var(--soft); font-size: .8rem; line-height: 1.4; }
details { margin-top: .8rem; font-size: .87rem; }
summary { color: var(--soft); cursor: pointer; width: fit-content; }
details ul { list-style: none; margin: .4rem 0 0 1rem; }
details li { padding: .12rem 0; }
.empty { margin-top: 2rem; padding: 1.5rem; border: 1px dashed var(--line); border-radius: 8px; }
footer { margin-top: 2rem; color: var(--soft); font-size: .87rem; max-width: 46rem; }
code { font: .92em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media (max-width: 60rem) { .facts { grid-template-columns: repeat(4, minmax(0, 1fr)); } }
@media (max-width: 40rem) { main { padding: 1.4rem .9rem 2rem; } h1 { font-size: 1.5rem; } .row { padding: .95rem 1rem; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); } .origin { order: 4; flex-basis: 100%; }
  .facts .none { display: none; } }
"""

HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
