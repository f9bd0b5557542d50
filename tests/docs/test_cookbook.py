"""Checks that ``check`` accepts each recipe of docs/cookbook.md, proves its promises, and exercises most of it."""

import pytest

from router.cli.main import main
from tests.docs.blocks import blocks

RECIPES = [block for block in blocks("toml") if block.page == "cookbook.md"]


@pytest.mark.parametrize("recipe", RECIPES, ids=str)
def test_check_accepts_the_recipe(recipe, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.toml").write_text('[connect]\ninstance = "11111111-2222-3333-4444-555555555555"\n')
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "recipe.toml").write_text(recipe.text, encoding="utf-8")

    assert main(["check", "--strict", "--prove", "--coverage", "--min-coverage", "60"]) == 0, capsys.readouterr()
    assert "\nPROVED " in capsys.readouterr().out


def test_there_are_nine_recipes():
    assert len(RECIPES) == 9
