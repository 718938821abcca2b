"""`make package`: Chalice's package, merged with template.json, checked, in dist/package/.

Chalice merges dictionaries only, which leaves two things to do here. The fixed state machines get their definitions,
which are files of their own. And each route's integration names its function by a name known beforehand: Chalice's own
`${APIHandler.Arn}` would be a circle, for the functions are told the API's address.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from cfnlint.api import lint

from chalicelib.commerce.machines import CART_WATCH, ERRAND, STORE_SYNC, text

ROOT = Path(__file__).resolve().parent.parent
CHALICE = str(Path(sys.executable).parent / "chalice")
OUT = ROOT / "dist" / "package"
TEMPLATE = OUT / "sam.json"
BUNDLE = OUT / "deployment.zip"
AIM = 60_000_000  # bytes unzipped; Lambda's own limit is 250 MB
OWN_FUNCTION = {  # routes with a Lambda of their own; else "api"
    ("/webhooks/{platform}/{store_id}", "post"): "webhook-door",
    ("/webhooks/shopify/{store_id}", "post"): "webhook-door",
    ("/webhooks/shopify", "post"): "webhook-door",
    ("/v1/stores/{store_id}/carts", "post"): "carts-door",
    ("/u/{token}", "get"): "links-door",
    ("/u/{token}", "head"): "links-door",
    ("/u/{token}", "post"): "links-door",
    ("/l/{token}", "get"): "links-door",
    ("/l/{token}", "head"): "links-door",
    ("/o/{token}", "get"): "links-door",
    ("/o/{token}", "head"): "links-door",
    ("/p/{token}", "get"): "links-door",
    ("/p/{token}", "head"): "links-door",
    ("/p/{token}", "post"): "links-door",
    ("/i/c/{picture}", "get"): "links-door",
    ("/i/c/{picture}", "head"): "links-door",
    ("/i/s/{picture}", "get"): "links-door",
    ("/i/s/{picture}", "head"): "links-door",
}
# Resources of the template, and their definitions' names.
MACHINES = {"CartWatchMachine": CART_WATCH, "StoreSyncMachine": STORE_SYNC, "ErrandMachine": ERRAND}
INTEGRATION = (
    "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/"
    "arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:${AWS::StackName}-%s/invocations"
)


def package() -> None:
    """Raises subprocess.CalledProcessError when Chalice fails."""
    if OUT.exists():
        shutil.rmtree(OUT)
    subprocess.run(
        [CHALICE, "package", "--stage", "production", "--merge-template", "infra/template.json", str(OUT)],
        check=True,
        cwd=ROOT,
        # Packaging asks AWS nothing, but Chalice wants to know a region for the partition's name.
        env={"AWS_DEFAULT_REGION": "eu-west-1", **os.environ},
        stdin=subprocess.DEVNULL,
    )


def connect_routes(template: dict[str, Any]) -> None:
    """Name the function of every route. Raises KeyError when a route with a function of its own is not in the app."""
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    for path, method in OWN_FUNCTION:
        paths[path][method]
    for path, methods in paths.items():
        for method, operation in methods.items():
            integration = operation.get("x-amazon-apigateway-integration", {})
            if integration.get("type") == "aws_proxy":
                integration["uri"] = {"Fn::Sub": INTEGRATION % OWN_FUNCTION.get((path, method), "api")}


def define_machines(template: dict[str, Any]) -> None:
    """Our fixed state machines, each from its file. Raises KeyError when one is not in the template."""
    for resource, name in MACHINES.items():
        template["Resources"][resource]["Properties"]["DefinitionString"] = text(name)


def require_an_order(template: dict[str, Any]) -> None:
    """CloudFormation makes resources in the order of their references; cfn-lint does not look for circles among
    serverless ones. Raises graphlib.CycleError, which names the circle."""
    resources = template["Resources"]
    graph = {name: _references(resource) & resources.keys() for name, resource in resources.items()}
    TopologicalSorter(graph).prepare()


def _references(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_references, part))
    if not isinstance(part, dict):
        return set()
    found = set().union(*map(_references, part.values()))
    if isinstance(named := part.get("Ref"), str):
        found.add(named)
    if isinstance(named := part.get("Fn::GetAtt"), list):
        found.add(named[0])
    if "Fn::Sub" in part:
        text = part["Fn::Sub"]
        found |= set(re.findall(r"\$\{([A-Za-z0-9]+)", text if isinstance(text, str) else text[0]))
    if isinstance(named := part.get("DependsOn"), str):
        found.add(named)
    return found


def unzipped_size(bundle: Path) -> int:
    """Bytes."""
    with zipfile.ZipFile(bundle) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def main() -> None:
    try:
        package()
    except subprocess.CalledProcessError as problem:
        sys.exit(problem.returncode)
    template = json.loads(TEMPLATE.read_text())
    connect_routes(template)
    define_machines(template)
    require_an_order(template)
    TEMPLATE.write_text(json.dumps(template, indent=2) + "\n")
    found = lint(TEMPLATE.read_text(), regions=["eu-west-1", "us-east-1"])
    for match in found:
        print(f"{TEMPLATE.relative_to(ROOT)}:{match.linenumber} {match.rule.id} {match.message}", file=sys.stderr)
    size = unzipped_size(BUNDLE)
    print(f"{OUT.relative_to(ROOT)}: {len(template['Resources'])} resources, cfn-lint: {len(found)} findings")
    print(
        f"bundle: {size / 1e6:.1f} MB unzipped (aim: under {AIM / 1e6:.0f}), {BUNDLE.stat().st_size / 1e6:.1f} zipped"
    )
    if found or size > AIM:
        sys.exit(1)


if __name__ == "__main__":
    main()
