"""The official OpenAI and Anthropic clients against a proxy before llama-server. Usage: llama.py PROXY_URL KEY; see llama.sh.

Random weights say nothing sensible: what counts is that each client's own parser reads the answer, whole and streamed, that tokens
are counted, and that a call has the arguments of its schema.
"""

import json
import sys
import time
from typing import Any, Callable

import anthropic
import openai

URL, KEY = sys.argv[1:3]
OPENAI = openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
ANTHROPIC = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)
USER: Any = [{"role": "user", "content": "Say something."}]
# More than one slot of the server holds; a byte is a token.
LONG: Any = [{"role": "user", "content": "x" * 20_000}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"]}
NAME = "get_weather"

Answer = tuple[str, list[tuple[str, Any]], int]


def chat(model: str, stream: bool, tools: bool) -> Answer:
    asked: dict[str, Any] = {"model": model, "messages": USER, "max_tokens": 256 if tools else 16}
    if tools:
        tool = {"type": "function", "function": {"name": NAME, "parameters": SCHEMA}}
        asked |= {"tools": [tool], "tool_choice": "required"}
    if stream:
        with OPENAI.chat.completions.stream(**asked, stream_options={"include_usage": True}) as events:
            try:
                got = events.get_final_completion()
            except openai.LengthFinishReasonError as ended:
                got = ended.completion
    else:
        got = OPENAI.chat.completions.create(**asked)
    [choice] = got.choices
    calls = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]
    assert choice.finish_reason == ("tool_calls" if tools else "length"), got
    return choice.message.content or "", calls, got.usage.completion_tokens


def responses(model: str, stream: bool, tools: bool) -> Answer:
    asked: dict[str, Any] = {"model": model, "input": "Say something.", "max_output_tokens": 256 if tools else 16}
    if tools:
        tool = {"type": "function", "name": NAME, "parameters": SCHEMA, "strict": False}
        asked |= {"tools": [tool], "tool_choice": "required"}
    if stream:
        # Not the helper that adds events up: llama-server numbers none of them, and within one format they pass as they came.
        events = list(OPENAI.responses.create(**asked, stream=True))
        kinds = {event.type for event in events}
        wanted = "response.function_call_arguments.delta" if tools else "response.output_text.delta"
        assert wanted in kinds and events[-1].type in ("response.completed", "response.incomplete"), kinds
        got = events[-1].response
    else:
        got = OPENAI.responses.create(**asked)
    calls = [(item.name, item.arguments) for item in got.output if item.type == "function_call"]
    return got.output_text, calls, got.usage.output_tokens


def messages(model: str, stream: bool, tools: bool) -> Answer:
    asked: dict[str, Any] = {"model": model, "messages": USER, "max_tokens": 256 if tools else 16}
    if tools:
        asked |= {"tools": [{"name": NAME, "input_schema": SCHEMA}], "tool_choice": {"type": "any"}}
    if stream:
        with ANTHROPIC.messages.stream(**asked) as events:
            got = events.get_final_message()
    else:
        got = ANTHROPIC.messages.create(**asked)
    assert got.stop_reason == ("tool_use" if tools else "max_tokens"), got
    text = "".join(block.text for block in got.content if block.type == "text")
    calls = [(block.name, block.input) for block in got.content if block.type == "tool_use"]
    return text, calls, got.usage.output_tokens


def check(client: Callable[[str, bool, bool], Answer], provider: str) -> None:
    for stream in (False, True):
        text, calls, tokens = client(f"text-{provider}", stream, False)
        assert text and not calls and tokens > 0, (text, calls, tokens)
        text, calls, tokens = client(f"calls-{provider}", stream, True)
        [(name, arguments)] = calls
        arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
        assert name == NAME and list(arguments) == ["city"] and tokens > 0, (calls, tokens)
    print("ok", client.__name__, "on", provider)


def too_long(provider: str) -> None:
    """The server says why with a number where OpenAI has a word, and to Anthropic's clients in OpenAI's form."""
    model = f"text-{provider}"
    for error, ask in (
        (openai.BadRequestError, lambda: OPENAI.chat.completions.create(model=model, messages=LONG, max_tokens=5)),
        (openai.BadRequestError, lambda: OPENAI.responses.create(model=model, input=LONG, max_output_tokens=16)),
        (anthropic.BadRequestError, lambda: ANTHROPIC.messages.create(model=model, messages=LONG, max_tokens=5)),
    ):
        try:
            ask()
        except error as said:
            assert "context" in str(said), said
        else:
            raise AssertionError(f"{provider} took what is too long")
    print("ok too long on", provider)


def reachable() -> None:
    """The proxy takes a new key a moment after it was made."""
    for _ in range(200):
        try:
            OPENAI.models.list()
            return
        except openai.AuthenticationError:
            time.sleep(0.05)
    raise AssertionError("the proxy never took the key")


reachable()
for provider in ("chat", "responses", "messages"):
    for client in (chat, responses, messages):
        check(client, provider)
    too_long(provider)
