"""Findings as text for a person, or as JSON."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from whatsapp_provider.cli.doctor.findings import Finding, Verdict, is_healthy

_WIDTH = 110
_MARGIN = " " * 10


def as_text(findings: Sequence[Finding]) -> str:
    """Return a block for each finding, and at the end how many there are and which are problems."""
    blocks = ["\n".join(_block(finding)) for finding in findings]
    counts = Counter(finding.verdict for finding in findings)
    total = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict)
    bad = [f"  {each.topic}: {each.looked_at}" for each in findings if each.verdict is Verdict.PROBLEM]
    return "\n".join([*blocks, "", f"{len(findings)} looked at: {total}{':' if bad else '.'}", *bad])


def as_json(findings: Sequence[Finding]) -> str:
    """Return ``{"healthy": …, "findings": [{topic, looked_at, verdict, found, advice}, …]}``."""
    document = {
        "healthy": is_healthy(findings),
        "findings": [finding.to_dict() for finding in findings],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)


def _block(finding: Finding) -> Iterator[str]:
    yield f"{finding.verdict.value:<{len(_MARGIN)}}{finding.topic}: {finding.looked_at}"
    for text in (finding.found, finding.advice and f"→ {finding.advice}"):
        yield from textwrap.wrap(
            text,
            _WIDTH,
            initial_indent=_MARGIN,
            subsequent_indent=_MARGIN,
            break_long_words=False,
            break_on_hyphens=False,
        )
