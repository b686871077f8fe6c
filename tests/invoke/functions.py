"""What `sam local invoke` would run: SAM's own reading of the built template and of an --env-vars file.

Prints {"<function>": {"folder": "…", "environment": {…}}, …} as JSON, and where the Runtime Interface Emulator is.
"""

import json
import pathlib
import platform
import sys

import samcli.local
from samcli.commands.local.lib.local_lambda import LocalLambdaRunner
from samcli.lib.providers.sam_function_provider import SamFunctionProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider

template, env_vars = sys.argv[1:]
folder = str(pathlib.Path(template).parent)
stacks, _ = SamLocalStackProvider.get_stacks(template)
values = json.loads(pathlib.Path(env_vars).read_text())
runner = LocalLambdaRunner(None, SamFunctionProvider(stacks), folder, folder, env_vars_values=values)
configurations = {function.name: runner.get_invoke_config(function) for function in runner.provider.get_all()}
machine = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
rapid = pathlib.Path(samcli.local.__file__).parent / "rapid"
print(
    json.dumps(
        {
            "emulator": str(rapid / f"aws-lambda-rie-{machine}"),
            "functions": {
                name: {"folder": configuration.code_abs_path, "environment": configuration.env_vars.resolve()}
                for name, configuration in configurations.items()
            },
        }
    )
)
