#!/usr/bin/env python3
"""Writes the state machine definitions workflow/*.asl.json from workflow/src/*.json and workflow/retries.json.

Run it after each change of those files; a test fails when a definition is stale. It needs Python 3 and nothing else.

A state in src/ has `"Retry": "NAME"`. The definition has the rules of that name instead, one rule a line. Every other line
is copied, so a definition reads like its source. Step Functions gets the definitions as they are committed: it allows no
unknown fields and no includes, which is why the rules are written out.
"""

import json
import re
from pathlib import Path

WORKFLOW = Path(__file__).resolve().parent
MARKER = re.compile(r'( *)"Retry": "([a-z-]+)"(,?)')


def compact(value):
    """JSON in one line, with the spaces that the sources have."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)}: {compact(field)}" for key, field in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(compact(item) for item in value) + "]"
    return json.dumps(value)


def expand(line, table):
    """The lines of a definition for one line of its source."""
    marker = MARKER.fullmatch(line)
    if not marker:
        return [line]
    indent, name, comma = marker.groups()
    rules = [compact(table["rules"][rule]) for rule in table["retries"][name]["rules"]]
    lines = [f"{indent}  {rule}," for rule in rules]
    lines[-1] = lines[-1].removesuffix(",")
    return [f'{indent}"Retry": [', *lines, f"{indent}]{comma}"]


def main():
    table = json.loads((WORKFLOW / "retries.json").read_text())
    for source in sorted((WORKFLOW / "src").glob("*.json")):
        lines = [made for line in source.read_text().splitlines() for made in expand(line, table)]
        text = "\n".join(lines) + "\n"
        json.loads(text)
        (WORKFLOW / f"{source.stem}.asl.json").write_text(text)


main()
