"""The official OpenAI client: chat completions and responses."""

import json

import openai
from sdk_common import CALL, PLAN, REFUSE, SAY, SCHEMA, check, names, raises, result, run, same

client = openai.OpenAI(base_url=PLAN["proxy"] + "/v1", api_key=PLAN["key"], max_retries=0)
create = client.chat.completions.create


def user(text: str) -> list:
    return [{"role": "user", "content": text}]


def functions(truth: dict) -> list:
    return [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in names(truth)]


def chat_check(answer, model: str, truth: dict) -> None:
    choice = answer.choices[0]
    same("model", answer.model, model)
    same("object", answer.object, "chat.completion")
    same("finish_reason", choice.finish_reason, "tool_calls" if truth["tools"] else "stop")
    calls = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]
    check(truth, choice.message.content or "", calls, (answer.usage.prompt_tokens, answer.usage.completion_tokens))


def chat_text(model: str, scenes: dict) -> None:
    chat_check(create(model=model, messages=user(SAY)), model, scenes["text"])


def chat_stream(model: str, scenes: dict) -> None:
    options = {"include_usage": True}
    with client.chat.completions.stream(model=model, messages=user(SAY), stream_options=options) as stream:
        deltas = [event.delta for event in stream if event.type == "content.delta"]
        chat_check(stream.get_final_completion(), model, scenes["text_stream"])
    same("deltas", "".join(deltas), scenes["text_stream"]["text"])


def chat_second_turn(model: str, message, scenes: dict, tools: list) -> None:
    ids = [call.id for call in message.tool_calls]
    same("distinct ids", len(set(ids)), len(ids))
    results = [{"role": "tool", "tool_call_id": id, "content": result(i)} for i, id in enumerate(ids)]
    told = message.model_dump(exclude_none=True, exclude={"parsed": True, "tool_calls": {"__all__": {"function": {"parsed_arguments"}}}})
    answer = create(model=model, messages=[*user(CALL), told, *results], tools=tools)
    chat_check(answer, model, scenes["text"])


def chat_tools(model: str, scenes: dict) -> None:
    tools = functions(scenes["tools"])
    answer = create(model=model, messages=user(CALL), tools=tools)
    chat_check(answer, model, scenes["tools"])
    chat_second_turn(model, answer.choices[0].message, scenes, tools)


def chat_tools_stream(model: str, scenes: dict) -> None:
    tools = functions(scenes["tools_stream"])
    options = {"include_usage": True}
    with client.chat.completions.stream(model=model, messages=user(CALL), tools=tools, stream_options=options) as stream:
        answer = stream.get_final_completion()
    chat_check(answer, model, scenes["tools_stream"])
    chat_second_turn(model, answer.choices[0].message, scenes, tools)


def chat_errors(model: str, scenes: dict) -> None:
    error = raises(openai.NotFoundError, lambda: create(model="no-such-model", messages=user(SAY)))
    same("code", error.code, "model_not_found")
    for stream in (False, True):
        error = raises(openai.BadRequestError, lambda: create(model=model, messages=user(REFUSE), stream=stream))
        assert error.type == "invalid_request_error", error.body


def respond_check(answer, model: str, truth: dict) -> None:
    same("model", answer.model, model)
    same("status", answer.status, "completed")
    calls = [(item.name, item.arguments) for item in answer.output if item.type == "function_call"]
    check(truth, answer.output_text, calls, (answer.usage.input_tokens, answer.usage.output_tokens))
    same("total", answer.usage.total_tokens, truth["input_tokens"] + truth["output_tokens"])


def respond_text(model: str, scenes: dict) -> None:
    respond_check(client.responses.create(model=model, input=SAY), model, scenes["text"])


def respond_stream(model: str, scenes: dict) -> None:
    with client.responses.stream(model=model, input=SAY) as stream:
        deltas = [event.delta for event in stream if event.type == "response.output_text.delta"]
        respond_check(stream.get_final_response(), model, scenes["text_stream"])
    same("deltas", "".join(deltas), scenes["text_stream"]["text"])


def respond_functions(truth: dict) -> list:
    return [{"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name in names(truth)]


def respond_second_turn(model: str, answer, scenes: dict, tools: list) -> None:
    calls = [item for item in answer.output if item.type == "function_call"]
    told = [json.loads(item.model_dump_json(exclude_none=True, exclude={"parsed_arguments"})) for item in answer.output]
    results = [{"type": "function_call_output", "call_id": call.call_id, "output": result(i)} for i, call in enumerate(calls)]
    second = client.responses.create(model=model, input=[*user(CALL), *told, *results], tools=tools, store=False)
    respond_check(second, model, scenes["text"])


def respond_tools(model: str, scenes: dict) -> None:
    tools = respond_functions(scenes["tools"])
    answer = client.responses.create(model=model, input=CALL, tools=tools)
    respond_check(answer, model, scenes["tools"])
    respond_second_turn(model, answer, scenes, tools)


def respond_tools_stream(model: str, scenes: dict) -> None:
    tools = respond_functions(scenes["tools_stream"])
    with client.responses.stream(model=model, input=CALL, tools=tools) as stream:
        answer = stream.get_final_response()
    respond_check(answer, model, scenes["tools_stream"])
    respond_second_turn(model, answer, scenes, tools)


def respond_errors(model: str, scenes: dict) -> None:
    error = raises(openai.NotFoundError, lambda: client.responses.create(model="no-such-model", input=SAY))
    same("code", error.code, "model_not_found")
    for stream in (False, True):
        error = raises(openai.BadRequestError, lambda: client.responses.create(model=model, input=REFUSE, stream=stream))
        assert error.type == "invalid_request_error", error.body


run("openai-python", {
    "chat-text": chat_text, "chat-stream": chat_stream, "chat-tools": chat_tools,
    "chat-tools-stream": chat_tools_stream, "chat-errors": chat_errors,
    "responses-text": respond_text, "responses-stream": respond_stream, "responses-tools": respond_tools,
    "responses-tools-stream": respond_tools_stream, "responses-errors": respond_errors,
})
