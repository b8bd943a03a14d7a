"""The official Anthropic client: messages."""

import anthropic
from sdk_common import CALL, PLAN, REFUSE, SAY, SCHEMA, check, names, raises, result, run, same

client = anthropic.Anthropic(base_url=PLAN["proxy"], api_key=PLAN["key"], max_retries=0)
create = client.messages.create


def asked(model: str, text: str, **more) -> dict:
    return {"model": model, "max_tokens": 500, "messages": [{"role": "user", "content": text}], **more}


def offered(truth: dict) -> list:
    return [{"name": name, "input_schema": SCHEMA} for name in names(truth)]


def look(answer, model: str, truth: dict) -> None:
    same("model", answer.model, model)
    same("stop_reason", answer.stop_reason, "tool_use" if truth["tools"] else "end_turn")
    text = "".join(block.text for block in answer.content if block.type == "text")
    calls = [(block.name, block.input) for block in answer.content if block.type == "tool_use"]
    check(truth, text, calls, (answer.usage.input_tokens, answer.usage.output_tokens))


def text(model: str, scenes: dict) -> None:
    look(create(**asked(model, SAY)), model, scenes["text"])


def stream(model: str, scenes: dict) -> None:
    with client.messages.stream(**asked(model, SAY)) as events:
        deltas = "".join(events.text_stream)
        look(events.get_final_message(), model, scenes["text_stream"])
    same("deltas", deltas, scenes["text_stream"]["text"])


def second_turn(model: str, answer, scenes: dict, tools: list) -> None:
    ids = [block.id for block in answer.content if block.type == "tool_use"]
    same("distinct ids", len(set(ids)), len(ids))
    results = [{"type": "tool_result", "tool_use_id": id, "content": result(i)} for i, id in enumerate(ids)]
    body = asked(model, CALL, tools=tools)
    body["messages"] += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results}]
    look(create(**body), model, scenes["text"])


def tools(model: str, scenes: dict) -> None:
    offer = offered(scenes["tools"])
    answer = create(**asked(model, CALL, tools=offer))
    look(answer, model, scenes["tools"])
    second_turn(model, answer, scenes, offer)


def tools_stream(model: str, scenes: dict) -> None:
    offer = offered(scenes["tools_stream"])
    with client.messages.stream(**asked(model, CALL, tools=offer)) as events:
        answer = events.get_final_message()
    look(answer, model, scenes["tools_stream"])
    second_turn(model, answer, scenes, offer)


def errors(model: str, scenes: dict) -> None:
    error = raises(anthropic.NotFoundError, lambda: create(**asked("no-such-model", SAY)))
    same("type", error.body["error"]["type"], "not_found_error")
    for streamed in (False, True):
        error = raises(anthropic.BadRequestError, lambda: create(**asked(model, REFUSE, stream=streamed)))
        same("type", error.body["error"]["type"], "invalid_request_error")


run("anthropic-python", {
    "text": text, "stream": stream, "tools": tools, "tools-stream": tools_stream, "errors": errors,
})
