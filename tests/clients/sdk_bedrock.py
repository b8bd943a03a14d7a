"""AWS's client for Bedrock with a Bedrock API key: Converse and ConverseStream."""

import json
import os

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from tls import terminator
from sdk_common import CALL, PLAN, REFUSE, SAY, SCHEMA, check, names, raises, result, run, same

os.environ["AWS_BEARER_TOKEN_BEDROCK"] = PLAN["key"]
once = Config(retries={"total_max_attempts": 1})
# The client sends such a key over TLS only.
URL, AUTHORITY = terminator(PLAN["proxy"])
client = boto3.client("bedrock-runtime", endpoint_url=URL, verify=AUTHORITY, region_name="us-east-1", config=once)


def asked(model: str, text: str, truth: dict | None = None) -> dict:
    body = {"modelId": model, "messages": [{"role": "user", "content": [{"text": text}]}]}
    if truth:
        specs = [{"toolSpec": {"name": name, "inputSchema": {"json": SCHEMA}}} for name in names(truth)]
        body["toolConfig"] = {"tools": specs}
    return body


def look(message: dict, stop: str, usage: dict, truth: dict) -> None:
    same("stopReason", stop, "tool_use" if truth["tools"] else "end_turn")
    text = "".join(block.get("text", "") for block in message["content"])
    calls = [(block["toolUse"]["name"], block["toolUse"]["input"]) for block in message["content"] if "toolUse" in block]
    check(truth, text, calls, (usage["inputTokens"], usage["outputTokens"]))
    same("total", usage["totalTokens"], truth["input_tokens"] + truth["output_tokens"])


def streamed(body: dict) -> tuple[dict, str, dict]:
    """What the events add up to. boto3 has no helper for it; the frames and their checksums are its own."""
    content: dict[int, dict] = {}
    stop, usage = "", {}
    for event in client.converse_stream(**body)["stream"]:
        if start := event.get("contentBlockStart"):
            content[start["contentBlockIndex"]] = {"toolUse": {**start["start"]["toolUse"], "input": ""}}
        elif delta := event.get("contentBlockDelta"):
            block = content.setdefault(delta["contentBlockIndex"], {})
            if "text" in delta["delta"]:
                block["text"] = block.get("text", "") + delta["delta"]["text"]
            elif "toolUse" in delta["delta"]:
                block["toolUse"]["input"] += delta["delta"]["toolUse"]["input"]
            elif thought := delta["delta"].get("reasoningContent"):
                so_far = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {"text": ""})
                for part, piece in thought.items():
                    so_far[part] = so_far.get(part, "") + piece
        elif end := event.get("messageStop"):
            stop = end["stopReason"]
        elif metadata := event.get("metadata"):
            usage = metadata["usage"]
    return {"role": "assistant", "content": [content[index] for index in sorted(content)]}, stop, usage


def whole(body: dict) -> tuple[dict, str, dict]:
    answer = client.converse(**body)
    return answer["output"]["message"], answer["stopReason"], answer["usage"]


def text(model: str, scenes: dict) -> None:
    look(*whole(asked(model, SAY)), scenes["text"])


def stream(model: str, scenes: dict) -> None:
    look(*streamed(asked(model, SAY)), scenes["text_stream"])


def second_turn(model: str, message: dict, scenes: dict, truth: dict) -> None:
    ids = [block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block]
    same("distinct ids", len(set(ids)), len(ids))
    results = [{"toolResult": {"toolUseId": id, "content": [{"text": result(i)}]}} for i, id in enumerate(ids)]
    body = asked(model, CALL, truth)
    body["messages"] += [message, {"role": "user", "content": results}]
    look(*whole(body), scenes["text"])


def tools(model: str, scenes: dict) -> None:
    truth = scenes["tools"]
    answer = whole(asked(model, CALL, truth))
    look(*answer, truth)
    second_turn(model, answer[0], scenes, truth)


def tools_stream(model: str, scenes: dict) -> None:
    truth = scenes["tools_stream"]
    message, stop, usage = streamed(asked(model, CALL, truth))
    look(message, stop, usage, truth)
    for block in message["content"]:
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    second_turn(model, message, scenes, truth)


def errors(model: str, scenes: dict) -> None:
    def seen(error: ClientError) -> tuple:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]

    unknown = raises(ClientError, lambda: whole(asked("no-such-model", SAY)))
    same("unknown model", seen(unknown), (404, "ResourceNotFoundException"))
    same("refused", seen(raises(ClientError, lambda: whole(asked(model, REFUSE)))), (400, "ValidationException"))
    same("refused stream", seen(raises(ClientError, lambda: streamed(asked(model, REFUSE)))), (400, "ValidationException"))


run("boto3", {
    "text": text, "stream": stream, "tools": tools, "tools-stream": tools_stream, "errors": errors,
})
