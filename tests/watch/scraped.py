"""A page of figures as whoever scrapes it reads it."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families


def figures(page: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(page.decode())
        for sample in family.samples
    }
