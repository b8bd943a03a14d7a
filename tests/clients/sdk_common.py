"""What the scripts of all Python clients share: the plan that the test hands over, the checks, the report.

Usage of each script: sdk_NAME.py PLAN.json. The plan is {"proxy", "key", "upstreams": {FORMAT: {SCENE: TRUTH}}}: each upstream
replays recordings of one format under the model `to-FORMAT`, and a truth is what its recording says:
{"text", "tools": [{"name", "arguments"}], "input_tokens", "output_tokens"}. Prints a line for each step, exits 0 if all hold.
"""

import asyncio
import inspect
import json
import sys
import traceback
from typing import Any, Callable

SAY = "Say something."
CALL = "Call the tools."
REFUSE = "#refuse"
# Any arguments will do: what was recorded decides, and clients check calls against the schema.
SCHEMA = {"type": "object", "properties": {"note": {"type": "string"}}, "additionalProperties": True}


def plan() -> dict[str, Any]:
    with open(sys.argv[1], encoding="utf-8") as file:
        return json.load(file)


PLAN = plan()


def names(truth: dict) -> list[str]:
    """The tools to offer, each once."""
    return list(dict.fromkeys(tool["name"] for tool in truth["tools"]))


def result(index: int) -> str:
    """The result of the call at this place; the upstream checks that each comes."""
    return f"result number {index} of the tools"


def same(what: str, got: Any, wanted: Any) -> None:
    assert got == wanted, f"{what}: got {got!r}, wanted {wanted!r}"


def check(truth: dict, text: str, calls: list[tuple[str, Any]], usage: tuple[int, int] | None) -> None:
    """Text, calls and usage are those of the recording; arguments may come as text or as an object."""
    same("text", text, truth["text"])
    parsed = [(name, json.loads(given or "{}") if isinstance(given, str) else given) for name, given in calls]
    same("calls", parsed, [(tool["name"], tool["arguments"]) for tool in truth["tools"]])
    if usage is not None:
        same("usage", usage, (truth["input_tokens"], truth["output_tokens"]))


def raises(kind: type | tuple, action: Callable[[], Any]) -> Any:
    """The error that an action ends with, which is of this kind."""
    try:
        action()
    except kind as error:
        return error
    raise AssertionError(f"no {kind} was raised")


def run(client: str, steps: dict[str, Callable], upstreams: list[str] | None = None) -> None:
    """Runs each step against each upstream: `step(model, scenes)`."""
    failed = 0
    for upstream, scenes in PLAN["upstreams"].items():
        if upstreams is not None and upstream not in upstreams:
            continue
        for name, step in steps.items():
            try:
                done = step(f"to-{upstream}", scenes)
                if inspect.isawaitable(done):
                    asyncio.run(done)
                print("ok", client, upstream, name)
            except Exception as error:
                failed += 1
                where = "".join(traceback.format_exception_only(error)).strip().replace("\n", " | ")
                print("FAILED", client, upstream, name, where[:1500])
                print("".join(traceback.format_exc(limit=-3)), file=sys.stderr)
    sys.stdout.flush()
    sys.exit(1 if failed else 0)
