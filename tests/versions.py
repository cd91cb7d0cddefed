"""Which Airflow this is, for what it does otherwise than the newest."""

from __future__ import annotations

from airflow import __version__

AIRFLOW: tuple[int, ...] = tuple(map(int, __version__.split(".")[:2]))
