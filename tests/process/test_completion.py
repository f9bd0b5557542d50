"""Lets the shells that are on this machine complete real lines with the printed scripts."""

import shutil
import subprocess
import sys

import pytest

WHOLE = {
    "connect-router pau": "connect-router pause",
    "connect-router --config here.toml pla": "connect-router --config here.toml plan",
    "connect-router --log-l": "connect-router --log-level",
    "connect-router --config he": "connect-router --config here.toml",
    "connect-router plan --config he": "connect-router plan --config here.toml",
    "connect-router run --log-level w": "connect-router run --log-level warning",
    "connect-router flow q": "connect-router flow queue",
    "connect-router flow queue --fal": "connect-router flow queue --fallback",
    "connect-router plan --lim": "connect-router plan --limit",
    "connect-router explain 4711 --js": "connect-router explain 4711 --json",
    "connect-router files fold": "connect-router files folder",
}
"""What is typed, and the line after Tab. The slash after a folder is the shell's own."""
ATTACHED = {
    "connect-router plan --config=her": "connect-router plan --config=here.toml",
    "connect-router --config=her": "connect-router --config=here.toml",
}
BASH = """
source connect-router.bash
while IFS= read -r typed; do
  read -ra COMP_WORDS <<< "$typed"
  COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )) COMP_LINE=$typed COMP_POINT=${#typed} COMPREPLY=()
  _shtab_connect_router
  printf '%s\\n' "${typed% *} ${COMPREPLY[*]}"
done
"""
FISH = """
source connect-router.fish
while read line
  echo (string replace --regex '[^ ]*$' '' -- $line)(complete -C $line | string split \\t)[1]
end
"""
ZSH = """
zmodload zsh/zpty
zpty shell 'ZDOTDIR=$PWD zsh -i'
zpty -r shell shown '*READY*'
while IFS= read -r line; do
  zpty -w -n shell "$line"$'\\t\\C-xd'
  zpty -r shell shown '*LINE<*>END*'
  shown=${shown##*LINE<}
  print -r -- "${shown%%>END*}"
done
"""
ZSHRC = """
fpath=($PWD $fpath)
autoload -Uz compinit && compinit -u -D
dump() { print -r -- "LINE<$BUFFER>END"; BUFFER= }
zle -N dump
bindkey -e '^Xd' dump
unset zle_bracketed_paste
PROMPT=READY
"""


@pytest.mark.parametrize(("shell", "program", "file"), [
    ("bash", BASH, "connect-router.bash"),
    ("fish", FISH, "connect-router.fish"),
    ("zsh", ZSH, "_connect-router"),
])  # fmt: skip
def test_the_shell_completes_commands_options_values_and_files(tmp_path, shell, program, file):
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")
    printed = subprocess.run([sys.executable, "-m", "router", "completion", shell], capture_output=True, check=True)
    (tmp_path / file).write_bytes(printed.stdout)
    (tmp_path / "here.toml").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / ".zshrc").write_text(ZSHRC)

    whole = WHOLE | (ATTACHED if shell == "zsh" else {})

    done = subprocess.run(
        [shell, "-c", program],
        input="".join(f"{line}\n" for line in whole),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert [line.rstrip(" /=") for line in done.stdout.splitlines()] == list(whole.values())
