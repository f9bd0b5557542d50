"""Checks that the wheel, which users install, holds the whole package, and that ``make test`` tests the wheel."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import router

CHECKOUT = Path(__file__).parents[3]
pytestmark = pytest.mark.uses("processes")

TESTS_THE_WHEEL = os.environ.get("TEST_THE_WHEEL") == "1"

only_of_the_wheel = pytest.mark.skipif(not TESTS_THE_WHEEL, reason="of the wheel, which `make test` tests")


def package_files() -> dict[str, bytes]:
    """Returns every file of the package in the checkout by its path in a wheel: modules, scenarios, migrations, the
    marker, the command's entry, and the files of ``files``, ``demo`` and ``message``."""
    paths = (path for path in (CHECKOUT / "router").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    found = {path.relative_to(CHECKOUT).as_posix(): path for path in paths}
    folders = ("rules", "systemd", "monitoring")
    pages = ("docs/messages.md", "docs/log-events.md")
    shipped = [CHECKOUT / name for name in ("config.toml", "Containerfile", "requirements.lock", *pages)]
    for path in (*shipped, *(path for folder in folders for path in (CHECKOUT / folder).iterdir())):
        found[f"router/shipped_files/{path.relative_to(CHECKOUT).as_posix()}"] = path
    found["connect_router.py"] = CHECKOUT / "connect_router.py"
    return {name: path.read_bytes() for name, path in found.items()}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    (built,) = folder.iterdir()
    return zipfile.ZipFile(built)


def test_the_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile):
    inside = {name: wheel.read(name) for name in wheel.namelist() if ".dist-info/" not in name}

    assert inside == package_files()


def test_the_wheel_offers_one_command_and_no_other_package(wheel: zipfile.ZipFile):
    (entry_points,) = (name for name in wheel.namelist() if name.endswith(".dist-info/entry_points.txt"))

    assert wheel.read(entry_points).split(b"\n")[:2] == [b"[console_scripts]", b"connect-router = connect_router:main"]
    assert {name.split("/")[0] for name in wheel.namelist()} == {
        "connect_router.py",
        "router",
        f"connect_router-{router.__version__}.dist-info",
    }


def test_a_router_of_another_project_on_the_module_path_does_not_replace_the_command(
    wheel: zipfile.ZipFile, tmp_path: Path
):
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    wheel.extractall(installed)
    elsewhere.mkdir()
    (elsewhere / "router.py").write_text("raise SystemExit('another router')\n")
    program = "import sys, connect_router as command; sys.argv[1:] = ['--version']; sys.exit(command.main())"
    environment = {**os.environ, "PYTHONPATH": f"{elsewhere}{os.pathsep}{installed}"}

    for arguments in (["-c", program], ["-m", "connect_router", "--version"]):
        done = subprocess.run([sys.executable, "-P", *arguments], env=environment, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, f"connect-router {router.__version__}\n"), done.stderr


def test_the_files_that_the_wheel_writes_out_are_the_originals(wheel: zipfile.ZipFile, tmp_path: Path):
    wheel.extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, "-P", "-m", "connect_router", "files", "out"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    written = [path.relative_to(tmp_path / "out") for path in (tmp_path / "out").rglob("*") if path.is_file()]
    copied = [path for path in written if path.parts[0] not in ("schemas", "terraform")]
    assert len(copied) > 10
    for path in copied:
        assert (tmp_path / "out" / path).read_bytes() == (CHECKOUT / path).read_bytes()


def test_the_source_distribution_holds_what_make_test_needs(tmp_path: Path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path)],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
    )
    (built,) = tmp_path.iterdir()
    with tarfile.open(built) as archive:
        inside = {name.partition("/")[2] for name in archive.getnames()}

    git = subprocess.run(["git", "ls-files"], cwd=CHECKOUT, capture_output=True, text=True)
    if git.returncode == 0:
        assert set(git.stdout.split()) - inside == set()
    needed = {"Makefile", ".importlinter", ".ci/run", "LICENSE", "README.md", "CHANGELOG.md", "bench/support"}
    inside |= {str(Path(name).parent) for name in inside}
    assert needed - inside == set()
    assert not [name for name in inside if name.startswith((".venv", "build/", ".git/"))]


def test_the_project_names_its_status_and_who_makes_it(wheel: zipfile.ZipFile):
    folder = f"connect_router-{router.__version__}.dist-info"
    told = metadata.PathDistribution(zipfile.Path(wheel, f"{folder}/")).metadata

    assert told["Author"] == "The connect-router maintainers"
    assert "Development Status :: 4 - Beta" in told.get_all("Classifier", [])


def test_the_wheel_carries_the_licence_that_it_names(wheel: zipfile.ZipFile):
    folder = f"connect_router-{router.__version__}.dist-info"
    told = metadata.PathDistribution(zipfile.Path(wheel, f"{folder}/")).metadata

    assert told["License-Expression"] == "Apache-2.0"
    assert wheel.read(f"{folder}/licenses/LICENSE") == (CHECKOUT / "LICENSE").read_bytes()
    assert told["Requires-Python"] == ">=3.11"


def test_what_the_wheel_requires_is_what_pyproject_says(wheel: zipfile.ZipFile):
    folder = f"connect_router-{router.__version__}.dist-info"
    requires = metadata.PathDistribution(zipfile.Path(wheel, f"{folder}/")).requires or []
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].items()
    optional = [f"{one}; extra == '{extra}'" for extra, needed in extras for one in needed]

    assert set(map(Requirement, requires)) == set(map(Requirement, [*project["dependencies"], *optional]))


def test_what_is_tested_is_what_was_asked_for():
    assert router.__file__ is not None
    where = Path(router.__file__)

    if TESTS_THE_WHEEL:
        assert where.is_relative_to(sysconfig.get_path("purelib"))
    else:
        assert where.is_relative_to(CHECKOUT)


@only_of_the_wheel
def test_the_checkout_is_out_of_reach_of_the_tests():
    assert [entry for entry in sys.path if (Path(entry or ".") / "router").is_dir()] == [sysconfig.get_path("purelib")]


@only_of_the_wheel
def test_a_process_that_a_test_starts_runs_the_wheel_too():
    started = subprocess.run(
        [sys.executable, "-c", "import router; print(router.__file__)"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )

    assert started.stdout.strip() == router.__file__


@only_of_the_wheel
def test_the_installed_package_is_the_checkout_as_it_is_now():
    installed = Path(sysconfig.get_path("purelib"))
    files = package_files()

    assert metadata.version("connect-router") == router.__version__
    assert [name for name, content in files.items() if (installed / name).read_bytes() != content] == []
    there = (path for path in (installed / "router").rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert {path.relative_to(installed).as_posix() for path in there} | {"connect_router.py"} == set(files)
