"""Writes an OpenAPI description of what a gateway serves of OpenAI's API, made from the types of the installed client.

The published description is not part of any package, so a clean machine cannot have it from PyPI; the client's types say the
same of requests and answers. Usage: openai_spec.py FILE.json
"""

import json
import sys
from typing import Any

from openai import types
from openai.pagination import SyncCursorPage, SyncPage
from openai.types import chat, responses
from openai.types.chat import completion_create_params as chat_create
from openai.types.chat import completion_list_params, completion_update_params
from openai.types.responses import (
    input_item_list_params,
    input_token_count_params,
    response_compact_params,
    response_create_params,
    response_retrieve_params,
)
from pydantic import TypeAdapter

# (method, path, what the body must be, what the query may be, what is answered)
OPERATIONS: list[tuple[str, str, Any, Any, Any]] = [
    ("get", "/chat/completions", None, completion_list_params.CompletionListParams, SyncCursorPage[chat.ChatCompletion]),
    ("post", "/chat/completions", chat_create.CompletionCreateParams, None, chat.ChatCompletion),
    ("get", "/chat/completions/{id}", None, None, chat.ChatCompletion),
    ("post", "/chat/completions/{id}", completion_update_params.CompletionUpdateParams, None, chat.ChatCompletion),
    ("delete", "/chat/completions/{id}", None, None, chat.ChatCompletionDeleted),
    ("post", "/responses", response_create_params.ResponseCreateParams, None, responses.Response),
    ("get", "/responses/{id}", None, response_retrieve_params.ResponseRetrieveParams, responses.Response),
    ("delete", "/responses/{id}", None, None, None),
    ("post", "/responses/{id}/cancel", None, None, responses.Response),
    ("get", "/responses/{id}/input_items", None, input_item_list_params.InputItemListParams, SyncCursorPage[responses.ResponseItem]),
    ("post", "/responses/compact", response_compact_params.ResponseCompactParams, None, responses.CompactedResponse),
    ("post", "/responses/input_tokens", input_token_count_params.InputTokenCountParams, None, responses.InputTokenCountResponse),
    ("post", "/embeddings", types.EmbeddingCreateParams, None, types.CreateEmbeddingResponse),
    ("get", "/models", None, None, SyncPage[types.Model]),
    ("get", "/models/{id}", None, None, types.Model),
    ("delete", "/models/{id}", None, None, types.ModelDeleted),
    ("post", "/completions", types.CompletionCreateParams, None, types.Completion),
    ("post", "/moderations", types.ModerationCreateParams, None, types.ModerationCreateResponse),
]
# What is answered event by event if the client takes events.
STREAMS: dict[str, Any] = {
    "post /chat/completions": chat.ChatCompletionChunk,
    "post /responses": responses.ResponseStreamEvent,
    "post /completions": types.Completion,
}

# What the API always says, if only as null. The types cannot tell that from what may be absent, and the mock leaves out what may
# be: a stream that never says why it ended is one that was cut. From the published description's `required`, by schema.
ALWAYS: dict[str, list[str]] = {
    "openai__types__chat__chat_completion__Choice": ["logprobs"],
    "openai__types__chat__chat_completion_chunk__Choice": ["finish_reason"],
    "ChatCompletionMessage": ["content", "refusal"],
    "ChatCompletionTokenLogprob": ["bytes"],
    "TopLogprob": ["bytes"],
    "ChoiceLogprobs": ["content", "refusal"],
    "Response": ["error", "incomplete_details", "instructions", "metadata", "temperature", "top_p"],
    "FunctionTool": ["parameters", "strict"],
}


def adapters() -> dict[str, TypeAdapter]:
    """One for each type that is named, by the operation and the side."""
    found = {}
    for method, path, body, query, answer in OPERATIONS:
        for side, kind in (("body", body), ("query", query), ("answer", answer)):
            if kind is not None:
                found[f"{method} {path} {side}"] = TypeAdapter(kind)
    return found | {f"{name} events": TypeAdapter(kind) for name, kind in STREAMS.items()}


def open_answers(schema: Any) -> Any:
    """Without `default`s, which the mock would answer instead of a value of the type."""
    if isinstance(schema, dict):
        return {key: open_answers(value) for key, value in schema.items() if not (key == "default" and value is None)}
    return [open_answers(value) for value in schema] if isinstance(schema, list) else schema


def query_parameters(schema: dict, components: dict) -> list[dict]:
    while "$ref" in schema:
        schema = components[schema["$ref"].rsplit("/", 1)[-1]]
    found: dict[str, list] = {}
    for form in schema.get("anyOf", [schema]):
        while "$ref" in form:
            form = components[form["$ref"].rsplit("/", 1)[-1]]
        for name, kind in form.get("properties", {}).items():
            found.setdefault(name, []).append(kind)
    return [{"in": "query", "name": name, "schema": {"anyOf": kinds}} for name, kinds in found.items()]


def main() -> None:
    inputs = [(name, "validation", adapter) for name, adapter in adapters().items()]
    schemas, common = TypeAdapter.json_schemas(inputs, ref_template="#/components/schemas/{model}")
    components = open_answers(common.get("$defs", {}))
    schemas = {name: open_answers(schema) for (name, _), schema in schemas.items()}
    for name, fields in ALWAYS.items():
        components[name]["required"] = sorted({*components[name].get("required", []), *fields})
    paths: dict[str, dict] = {}
    for method, path, body, query, answer in OPERATIONS:
        name = f"{method} {path}"
        operation: dict[str, Any] = {"operationId": name.replace("/", "_"), "parameters": []}
        if "{id}" in path:
            operation["parameters"].append({"in": "path", "name": "id", "required": True, "schema": {"type": "string"}})
        if query is not None:
            operation["parameters"] += query_parameters(schemas[f"{name} query"], components)
        if body is not None:
            content = {"application/json": {"schema": schemas[f"{name} body"]}}
            operation["requestBody"] = {"required": True, "content": content}
        ok: dict[str, Any] = {"description": "OK"}
        if answer is not None:
            ok["content"] = {"application/json": {"schema": schemas[f"{name} answer"]}}
        if name in STREAMS:
            ok["content"]["text/event-stream"] = {"schema": schemas[f"{name} events"]}
        operation["responses"] = {"200": ok}
        paths.setdefault(path, {})[method] = operation
    document = {
        "openapi": "3.1.0",
        "info": {"title": "What a gateway serves of OpenAI's API", "version": "0"},
        "servers": [{"url": "https://api.openai.com/v1"}],
        "paths": paths,
        "components": {"schemas": components},
    }
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(document, file)


if __name__ == "__main__":
    main()
