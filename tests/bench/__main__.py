"""`python -m tests.bench [WORD …]`: the figures as a table; with words, only the parts whose name holds one of them."""

from __future__ import annotations

import resource
import sys
import time

from rich.console import Console
from rich.table import Table

from tests.bench import auditing, crowd, inside, reading, together
from tests.bench.fleet import sharing

PARTS = {"inside": inside, "crowd": crowd, "auditing": auditing, "reading": reading, "together": together}


def main(wanted: list[str]) -> int:
    started = time.monotonic()
    console = Console(width=None if sys.stdout.isatty() else 140)
    table = Table("", "", "", "", box=None, show_header=False, padding=(0, 2, 0, 0))
    with sharing():
        for name, part in PARTS.items():
            if wanted and not any(word in name for word in wanted):
                continue
            with console.status(f"measuring: {name}"):
                group = ""
                for figure in part.figures():
                    if figure.group != group:
                        group = figure.group
                        table.add_row("")
                        table.add_row(f"[bold]{group}[/bold]")
                    table.add_row(f"  {figure.what}", figure.value, f"[dim]{figure.note}[/dim]")
    console.print(table)
    console.print(f"\nMeasured in {time.monotonic() - started:.0f} s, with {_computed():.0f} s of CPU.")
    return 0


def _computed() -> float:
    """Seconds of CPU of this process and of those that it has started and that have ended."""
    usage = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in usage)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
