"""How much importing our modules adds to a process that has Airflow's SDK: ``make bench``.

Each figure is the median of nine processes, forked when the SDK's base classes were loaded, which a DAG file
has in any case, and nothing of a provider was. What is counted is the processor's time and not the clock's, so
that a busy machine changes it little. All is compiled before, as what is installed is. Fails where one of ours
takes more than 50 ms or loads what is to be loaded when it is used. :mod:`tests.bench.__main__` takes the figures
into ``build/bench.json``.
"""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from airflow.sdk import DAG, BaseHook, BaseOperator, BaseSensorOperator, task

from tests.bench.forks import in_a_fork_of

PROCESSES = 9
MOST_MILLISECONDS = 50.0
#: Loaded by whoever sends, not by whoever reads a DAG file.
HEAVY = (
    "h11",
    "httpx",
    "httpcore",
    "phonenumbers",
    "sqlalchemy",
    "jinja2",
    "fastapi",
    "starlette",
    "tenacity",
)
#: Hooks of other providers that do the same: reach a service.
PEERS = (
    "airflow.providers.http.hooks.http",
    "airflow.providers.smtp.hooks.smtp",
    "airflow.providers.slack.hooks.slack",
)
#: What is there before the counting begins.
SDK = (DAG, BaseHook, BaseOperator, BaseSensorOperator, task)


def about_us() -> tuple[list[str], list[str]]:
    """Return our modules that a DAG file or every process imports, and the folders of the gateways."""
    from whatsapp_provider.gateways.registry import GATEWAYS
    from whatsapp_provider.get_provider_info import get_provider_info

    info = get_provider_info()
    kinds = ("hooks", "operators", "sensors", "triggers")
    modules = [name for kind in kinds for entry in info[kind] for name in entry["python-modules"]]
    modules += [path.rpartition(".")[0] for path in info.get("notifications", [])]
    modules += ["whatsapp_provider.plugin", "whatsapp_provider.get_provider_info"]
    return list(dict.fromkeys(modules)), [line.folder for line in GATEWAYS.values()]


def measure(module: str) -> tuple[float, list[str]]:
    """Return the milliseconds that an import adds, and the modules it loads."""
    in_a_fork_of(_import, module)  # compiled, where it never was
    told = [in_a_fork_of(_import, module) for _ in range(PROCESSES)]
    return _median(took for took, _ in told), told[0][1]


def _median(figures: Iterable[float]) -> float:
    # Not the library's, which would be there before what is measured, and whoever imports it would not be charged.
    found = sorted(figures)
    return found[len(found) // 2]


def compile_into(folder: str) -> None:
    """Keep what this process and its forks compile.

    Without it a working copy is compiled at each import where ``PYTHONDONTWRITEBYTECODE`` is set, which takes longer
    than all else, and the peers, which pip compiled, are not.
    """
    sys.pycache_prefix, sys.dont_write_bytecode = folder, False


def _import(module: str) -> tuple[float, list[str]]:
    before = set(sys.modules)
    begun = process_time()
    import_module(module)
    return (process_time() - begun) * 1000, sorted(set(sys.modules) - before)


def heavy(loaded: list[str], folders: tuple[str, ...] = ()) -> list[str]:
    """Name what should have waited, of gateways what is not their form."""
    forms = {name for folder in folders for name in (folder, f"{folder}.connection")}
    packages = (*HEAVY, *folders)
    found = {name for name in loaded if any(name == top or name.startswith(f"{top}.") for top in packages)}
    return sorted({name if name.startswith(folders) else name.partition(".")[0] for name in found - forms})


def main(file: str | None = None) -> int:
    """Print the table; return 1 if something of ours is over the budget.

    :param file: where to write the milliseconds of each module of ours, as JSON.
    """
    with TemporaryDirectory() as compiled:
        compile_into(compiled)
        return _table(file)


def _table(file: str | None) -> int:
    # Asked in a process of its own, for the answer loads something of ours.
    told = in_a_fork_of(about_us)
    gc.freeze()
    present = [name for name in PEERS if find_spec(name.rpartition(".hooks.")[0]) is not None]
    peers = {name: measure(name) for name in present}
    usual = _median(took for took, _ in peers.values()) if peers else None
    print(f"{'module':54}{'ms':>8}{'of a peer':>11}{'modules':>9}  heavy")
    failed = False
    for name, (took, loaded) in peers.items():
        print(f"{name:54}{took:8.1f}{'':11}{len(loaded):9}  {', '.join(heavy(loaded)) or '-'}")
    modules, folders = told
    ours: dict[str, float] = {}
    for name in modules:
        took, loaded = measure(name)
        ours[name] = round(took, 2)
        share = f"{took / usual:.2f}" if usual else ""
        found = heavy(loaded, tuple(folders))
        over = took > MOST_MILLISECONDS or bool(found)
        failed = failed or over
        mark = "  <- over the budget" if over else ""
        print(f"{name:54}{took:8.1f}{share:>11}{len(loaded):9}  {', '.join(found) or '-'}{mark}")
    absent = sorted(set(PEERS) - set(present))
    if absent:
        print(f"Not installed here: {', '.join(absent)}")
    if file is not None:
        Path(file).write_text(json.dumps(ours))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
