"""A CSV file as large as wanted: everybody once, each tenth number written as people write them."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = "Hello {{ name }}, your order {{ order }} is on its way."


def write_csv(file: Path, rows: int) -> Path:
    """Write so many rows."""
    with file.open("w") as written:
        written.write("phone,name,order\n")
        for index in range(rows):
            digits = f"{index:07d}"
            phone = f"+1 (555) {digits[:3]}-{digits[3:]}" if index % 10 == 0 else f"+1555{digits}"
            written.write(f"{phone},Name {index},{index}\n")
    return file
