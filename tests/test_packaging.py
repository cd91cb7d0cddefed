"""What a person gets who installs the built wheel into an environment that has nothing else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from whatsapp_provider import __version__

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parent.parent
EXAMPLES = {"crm_campaign.py", "onboard_and_campaign.py", "onboard_channel.py", "send_message.py"}


class Bare:
    """An environment with Airflow and the wheel, and no checkout on its path."""

    def __init__(self, folder: Path, wheel: Path, constraints: Path) -> None:
        self.folder, self.wheel = folder, wheel
        self.python = folder / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
        install = [str(self.python), "-m", "pip", "install", "-q", "-c", str(constraints), str(wheel)]
        subprocess.run([*install, "apache-airflow==3.3.2"], check=True)

    def run(self, *arguments: str) -> str:
        """Run Python there and return what it prints."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        environment = {
            **kept,
            "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "COLUMNS": "200",
        }
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Bare:
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder / "dist"), str(ROOT)],
        check=True,
        capture_output=True,
    )
    wheel = next((folder / "dist").glob("*.whl"))
    return Bare(folder, wheel, ROOT / "constraints" / "airflow-3.3.2.txt")


def test_airflow_lists_the_provider_with_its_connection_types(bare):
    assert __version__ in bare.run("-m", "airflow", "providers", "get", "airflow-provider-whatsapp")
    hooks = json.loads(bare.run("-m", "airflow", "providers", "hooks", "-o", "json"))
    assert {hook["connection_type"] for hook in hooks} >= {"whapi"}


def test_airflow_lists_the_plugin_with_its_page(bare):
    plugins = json.loads(bare.run("-m", "airflow", "plugins", "-o", "json"))
    ours = next(plugin for plugin in plugins if plugin["name"] == "whatsapp")
    assert "WhatsApp" in json.dumps(ours["fastapi_apps"])


def test_the_wheel_holds_typed_code_examples_and_no_tests(bare):
    names = set(zipfile.ZipFile(bare.wheel).namelist())
    assert "whatsapp_provider/py.typed" in names
    assert {
        Path(name).name for name in names if name.startswith("whatsapp_provider/example_dags/")
    } == EXAMPLES
    assert not [name for name in names if name.startswith(("tests/", "dags_examples/"))]


def test_the_examples_are_copied_out_and_parse(bare):
    target = bare.folder / "dags"
    bare.run("-m", "whatsapp_provider.demo", "--copy-examples", str(target))
    assert {path.name for path in target.glob("*.py")} == EXAMPLES
    for example in EXAMPLES - {"crm_campaign.py"}:  # that one needs the provider for HTTP, an extra
        bare.run(str(target / example))


def test_every_module_of_ours_that_airflow_is_told_of_can_be_imported(bare):
    bare.run(
        "-c",
        "from importlib import import_module\n"
        "from whatsapp_provider.get_provider_info import get_provider_info\n"
        "info = get_provider_info()\n"
        "for kind in ('hooks', 'operators', 'sensors', 'triggers'):\n"
        "    for module in info[kind][0]['python-modules']:\n"
        "        import_module(module)\n",
    )
