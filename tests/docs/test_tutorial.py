"""Follows docs/tutorial.md from top to bottom, as a reader does: in one folder, with a sandbox and a service."""

import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack

import pytest

from tests.docs.blocks import blocks
from tests.docs.shape import missing
from tests.e2e.bench import run_here

pytestmark = [pytest.mark.uses("threads", "sockets", "processes"), pytest.mark.timeout(240)]
PAGE = [block for block in blocks() if block.page == "tutorial.md" and "*" not in block.parsed_only]
LIMIT_S = 60


class Reader:
    """Follows the page in a folder. ``printed`` holds the output of each command, the latest one."""

    def __init__(self, folder, stack):
        self.folder, self.stack, self.printed, self.service = folder, stack, {}, None
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECT_ROUTER_"))}
        quick = {"CONNECT_ROUTER_QUOTAS__SEARCHCONTACTS": "{ rate = 50, burst = 50 }"}
        self.environment = {**kept, **quick, "COLUMNS": "200", "NO_PROXY": "127.0.0.1"}
        (folder / "rules").mkdir()

    def follow(self, block):
        if block.language == "toml":
            name = re.match(r"# (\S+)\n", block.text)
            assert name is not None, "the first line names the file"
            text = block.text if name[1] != "sandbox.toml" else f'quotas = "none"\n{block.text}'
            (self.folder / name[1]).write_text(text, encoding="utf-8")
        elif block.printed_by is not None:
            assert missing(block.text, self.printed[f"connect-router {' '.join(block.printed_by)}"]) == []
        else:
            for command in block.commands():
                self.run(command)

    def run(self, command):
        if command.startswith("export "):
            return
        words = command.replace("CONTACT_ID", self.held()).split()[1:]
        if words[0] == "sandbox":
            self.begin([*words, "--port", "0"], "# aws")
            lines = re.findall(r"^export (\w+)=(.*)$", self.printed[words[0]], re.MULTILINE)
            self.environment.update(lines)
        elif words[0] == "run":
            self.begin(words, '"cycle.finished"')
        else:
            done = self.call(*words)
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            self.printed[command] = done.stdout

    def call(self, *words):
        return run_here(self.folder, self.environment, words)

    def begin(self, words, awaited):
        """Starts a command that does not end, and waits for this output. A service before it is ended, as by Ctrl-C."""
        self.end_service()
        process = subprocess.Popen(
            [sys.executable, "-m", "router", *words],
            cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        self.printed[words[0]] = ""
        for line in process.stdout:
            self.printed[words[0]] += line
            if awaited in line:
                break
        assert awaited in self.printed[words[0]]
        self.stack.callback(process.stdout.close)
        self.stack.callback(process.wait, LIMIT_S)
        self.stack.callback(process.terminate)
        if words[0] == "run":
            self.service = process

    def end_service(self):
        if self.service is not None:
            self.service.terminate()
            self.service.wait(LIMIT_S)
            self.service = None

    def held(self):
        """Returns the id of a contact that the last plan held."""
        plan = self.printed.get("connect-router plan", "")
        return next(iter(re.findall(r"^([0-9a-f-]{8,36}) .*no_eligible", plan, re.MULTILINE)), "")

    def moves(self, to):
        until = time.monotonic() + LIMIT_S
        while to not in (out := self.call("history").stdout) and time.monotonic() < until:
            time.sleep(0.5)
        return out.count(f"-> {to}")


def test_the_tutorial_works_as_it_is_written(tmp_path):
    with ExitStack() as stack:
        reader = Reader(tmp_path, stack)
        moved = []
        for block in PAGE:
            reader.follow(block)
            if block.text.startswith("connect-router run --enforce"):
                moved.append(reader.moves("Returns Overflow"))
            if "connect-router reload" in block.text:
                moved.append(reader.moves("Supervisors"))

        assert moved[0] == 2
        assert moved[1] >= 1
        assert '"mode": "observe"' in reader.printed["run"]
