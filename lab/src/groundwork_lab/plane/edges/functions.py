"""CloudFront functions as modules of nginx's JavaScript (njs). Pure functions.

CloudFront's runtimes are related to njs, but newer than Debian's njs 0.7.9, which does not support `for … of`,
destructuring, default parameters, spread or optional chaining. A function that njs rejects fails at the edge, as a
function that cannot run does on AWS.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/writing-function-code.html
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from groundwork_lab.model import Distribution, EdgeFunction, World
from groundwork_lab.plane.edges.policies import Config, items

_IMPORT = re.compile(rb"^[ \t]*import\s+\w+\s+from\s+(['\"])\w+\1[ \t]*;?", re.MULTILINE)
BROKEN = "function handler() { throw new Error('njs rejects the code of this function'); }"


def used(world: World) -> list[EdgeFunction]:
    """Return the functions that behaviors of distributions are associated with, sorted by ARN."""
    wanted = {arn for each in world.distributions.values() for _, arn in associations(each)}
    return [world.edge_functions[arn] for arn in sorted(wanted) if arn in world.edge_functions]


def associations(distribution: Distribution) -> Iterator[tuple[str, str]]:
    """Yield the event type and the function's ARN of all behaviors."""
    config: Config = distribution.config
    for behavior in [config["DefaultCacheBehavior"], *items(config.get("CacheBehaviors"))]:
        for each in items(behavior.get("FunctionAssociations")):
            yield each["EventType"], each["FunctionARN"]


def module_name(code: bytes) -> str:
    """Return the file name of a function's module, which depends on the code."""
    return f"function-{hashlib.sha256(code).hexdigest()[:16]}.js"


def module(code: bytes) -> bytes:
    """Return a function's module. It exports a function that runs the code and returns its `handler`.

    So code that fails before it defines a handler fails when it is used, and not at each request of the edge. Imports
    are moved to the beginning, because they are not permitted in a function. `console` is a parameter, because njs
    0.7.9 has none.
    """
    imports = b"".join(found.group().strip() + b"\n" for found in _IMPORT.finditer(code))
    return (
        imports
        + b"function load(console) {\n"
        + _IMPORT.sub(b"", code)
        + b"\nreturn handler;\n}\nexport default {load};\n"
    )


def registry(functions: Iterable[EdgeFunction], refused: Collection[str]) -> str:
    """Return the module that maps a function's ARN to its loader. `refused` are the files that njs rejects."""
    imports, entries = [], []
    for number, function in enumerate(functions):
        name = module_name(function.code)
        name = module_name(BROKEN.encode()) if name in refused else name
        imports.append(f"import f{number} from '{name}';\n")
        entries.append(f"    {json.dumps(function.arn)}: f{number}.load,\n")
    return "".join([*imports, "export default {\n", *entries, "};\n"])


def trial(js_module: str, folder: Path, name: str) -> str:
    """Return an nginx configuration that only loads one function's module."""
    return "\n".join(
        [
            f"load_module /usr/lib/nginx/modules/{js_module}.so;",
            f"pid {folder}/nginx.pid;",
            "events {}",
            f"http {{ access_log off; js_path {folder}; js_import it from {name};",
            f"server {{ listen unix:{folder}/socket; location / {{ js_content it.load; }} }} }}",
            "",
        ]
    )
