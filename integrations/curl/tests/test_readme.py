"""Every command of the README, run as it is printed, from the root of the repository."""

import os
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1]
ROOT = FOLDER.parents[1]
README = (FOLDER / "README.md").read_text(encoding="utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]
# What these set is the stack of the test; and the test does not run itself.
LEFT_OUT = ("export REFRESH_", ".venv-openapi/")
RUN = [command for command in COMMANDS if not command.startswith(LEFT_OUT)]


def test_the_commands_are_found():
    assert len(RUN) == 8 and len(COMMANDS) - len(RUN) == 3


@pytest.mark.parametrize("command", RUN)
def test_a_command_runs_as_it_is_printed(command, service, keys, scene):
    for content in scene["content"]:
        # The number of a workbook in addresses is another one at each site.
        command = re.sub(r"/workbooks/\d+/", f"/workbooks/{content['number']}/", command) if "number" in content else command
    environment = {"PATH": os.environ["PATH"], "REFRESH_URL": service.url, "REFRESH_KEY": keys["all"]}
    ended = subprocess.run(["sh", "-c", command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip()
