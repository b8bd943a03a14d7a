"""A provider for coding agents that speaks chat completions, responses and messages. Usage: agents_provider.py READY_FILE.

It lets each agent run its tools before it answers: the first call runs a command, the second (Codex) a tool of a namespace, then
comes a text that repeats what the tools gave. Nothing is kept between calls: how far an agent is stands in its conversation.
"""

import http.server
import json
import sys

SAID = "breakwater-was-here"
COMMAND = f"echo {SAID}"
# For each agent's tool: the arguments. A name ends with it where a namespace stands before it.
PLAN = [
    ("exec_command", {"cmd": COMMAND, "login": False}),
    ("close_agent", {"target": "01a1fa6d-b581-7813-9654-39472f86b1e9"}),
    ("Bash", {"command": COMMAND, "description": "Says something"}),
]


def answer(offered: list[tuple[str | None, str]], results: list[str]) -> tuple[str, str | None, dict] | str:
    """The next call, or the text at the end. Tools are offered as namespace and name."""
    planned = [
        (name, namespace, arguments)
        for wanted, arguments in PLAN
        for namespace, name in offered
        if name == wanted or name.endswith("__" + wanted)
    ]
    if len(results) < len(planned):
        return planned[len(results)]
    return " | ".join(["The tools gave", *results])


def flat(content: object) -> str:
    """The words of a content: a text or parts."""
    if isinstance(content, list):
        return "".join(flat(part.get("text", "")) if isinstance(part, dict) else str(part) for part in content)
    return content if isinstance(content, str) else ""


def chat(body: dict):
    tools = [(None, tool["function"]["name"]) for tool in body.get("tools", [])]
    said = answer(tools, [flat(one["content"]) for one in body["messages"] if one["role"] == "tool"])
    if isinstance(said, str):
        deltas, stop = [{"role": "assistant", "content": said}], "stop"
    else:
        call = {"index": 0, "id": f"call_{len(body['messages'])}", "type": "function", "function": {"name": said[0], "arguments": ""}}
        source = json.dumps(said[2])
        pieces = [{"tool_calls": [{"index": 0, "function": {"arguments": piece}}]} for piece in (source[:5], source[5:])]
        deltas, stop = [{"role": "assistant", "tool_calls": [call]}, *pieces], "tool_calls"
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": body["model"]}
    for delta in deltas:
        yield None, {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield None, {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": stop}]}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    yield None, {**head, "choices": [], "usage": usage}
    yield None, "[DONE]"


def responses(body: dict):
    tools = []
    for tool in body.get("tools", []):
        if tool["type"] == "namespace":
            tools += [(tool["name"], member["name"]) for member in tool["tools"]]
        elif tool["type"] == "function":
            tools.append((None, tool["name"]))
    items = [item for item in body["input"] if isinstance(item, dict)]
    said = answer(tools, [flat(item["output"]) for item in items if item.get("type") == "function_call_output"])
    number = iter(range(100))

    def event(kind: str, **members: object):
        return kind, {"type": kind, "sequence_number": next(number), **members}

    response = {"id": "resp_1", "object": "response", "created_at": 1, "model": body["model"], "status": "in_progress", "output": []}
    yield event("response.created", response=response)
    if isinstance(said, str):
        part = {"type": "output_text", "text": said, "annotations": []}
        item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
        yield event("response.output_item.added", output_index=0, item={**item, "status": "in_progress", "content": []})
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        yield event("response.content_part.added", **place, part={**part, "text": ""})
        yield event("response.output_text.delta", **place, delta=said)
        yield event("response.output_text.done", **place, text=said)
        yield event("response.content_part.done", **place, part=part)
    else:
        name, namespace, arguments = said
        call = {"type": "function_call", "id": "fc_1", "call_id": f"call_{len(items)}", "name": name, "status": "completed"}
        item = {**call, "arguments": json.dumps(arguments)} | ({"namespace": namespace} if namespace else {})
        yield event("response.output_item.added", output_index=0, item={**item, "status": "in_progress", "arguments": ""})
        place = {"item_id": "fc_1", "output_index": 0}
        yield event("response.function_call_arguments.delta", **place, delta=item["arguments"])
        yield event("response.function_call_arguments.done", **place, name=name, arguments=item["arguments"])
    yield event("response.output_item.done", output_index=0, item=item)
    read, written = {"cached_tokens": 0}, {"reasoning_tokens": 0}
    usage = {"input_tokens": 11, "input_tokens_details": read, "output_tokens": 7, "output_tokens_details": written, "total_tokens": 18}
    yield event("response.completed", response={**response, "status": "completed", "output": [item], "usage": usage})


def messages(body: dict):
    blocks = [block for turn in body["messages"] if isinstance(turn["content"], list) for block in turn["content"]]
    results = [flat(block.get("content")) for block in blocks if block["type"] == "tool_result"]
    said = answer([(None, tool["name"]) for tool in body.get("tools", [])], results)
    usage = {"input_tokens": 11, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": body["model"], "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": usage}
    yield "message_start", {"type": "message_start", "message": message}
    if isinstance(said, str):
        block, delta, stop = {"type": "text", "text": ""}, {"type": "text_delta", "text": said}, "end_turn"
    else:
        block = {"type": "tool_use", "id": f"toolu_{len(blocks)}", "name": said[0], "input": {}}
        delta, stop = {"type": "input_json_delta", "partial_json": json.dumps(said[2])}, "tool_use"
    yield "content_block_start", {"type": "content_block_start", "index": 0, "content_block": block}
    yield "content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta}
    yield "content_block_stop", {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": stop, "stop_sequence": None}
    yield "message_delta", {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 7}}
    yield "message_stop", {"type": "message_stop"}


DOORS = {"/v1/chat/completions": chat, "/v1/responses": responses, "/v1/messages": messages}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        door = DOORS.get(self.path.split("?")[0])
        if door is None or not body.get("stream"):
            self.send_error(404, "only streams of chat completions, responses and messages are here")
            return
        frames = []
        for kind, data in door(body):
            head = f"event: {kind}\n" if kind else ""
            frames.append(f"{head}data: {data if isinstance(data, str) else json.dumps(data)}\n\n")
        # What was asked, for who looks into a failure: the door, and how many tools.
        print(self.path, len(body.get("tools", [])), flush=True)
        payload = "".join(frames).encode()
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("content-length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *_: object) -> None:
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w", encoding="utf-8") as ready:
    ready.write(str(server.server_port))
server.serve_forever()
