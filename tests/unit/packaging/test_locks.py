"""Checks that the locks name every package with hashes, without an address, and in one release."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """Returns each locked package with its hashes."""
    text = (CHECKOUT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    parsed = (line.split("--hash=") for line in text.splitlines() if line.strip())
    return [(Requirement(first.strip()), [one.strip() for one in hashes]) for first, *hashes in parsed]


def pins(lock: str) -> dict[str, str]:
    return {canonicalize_name(package.name): str(package.specifier) for package, _ in entries(lock)}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_and_has_hashes(lock: str):
    assert entries(lock)
    for package, hashes in entries(lock):
        assert re.fullmatch(r"==[^*]+", str(package.specifier)), package
        assert hashes, package
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", one) for one in hashes), package


@pytest.mark.parametrize("lock", LOCKS)
def test_no_lock_names_an_index_a_file_or_an_address(lock: str):
    text = (CHECKOUT / lock).read_text(encoding="utf-8")

    assert "://" not in text
    assert " @ " not in text
    assert re.findall(r"^\s*-(?!-hash=sha256:)\S+", text, re.MULTILINE) == []


def test_the_locks_agree_with_each_other():
    development = pins("requirements-dev.lock")

    assert pins("requirements.lock").items() <= development.items()
    assert pins("requirements-build.lock").items() <= development.items()


@pytest.mark.parametrize(
    ("written", "lock"),
    [
        (PROJECT["project"]["dependencies"], "requirements.lock"),
        (PROJECT["dependency-groups"]["build"], "requirements-build.lock"),
        ([one for one in PROJECT["dependency-groups"]["dev"] if isinstance(one, str)], "requirements-dev.lock"),
    ],
)
def test_what_pyproject_asks_for_is_what_is_locked(written: list[str], lock: str):
    locked = pins(lock)

    for requirement in map(Requirement, written):
        version = locked[canonicalize_name(requirement.name)].removeprefix("==")
        assert requirement.specifier.contains(version), requirement


def test_nothing_for_development_reaches_the_users():
    assert {"pytest", "mypy", "ruff", "hatchling", "hypothesis"}.isdisjoint(pins("requirements.lock"))
