"""The official OpenAI and Anthropic clients against a proxy before llama-server. Usage: llama.py PROXY_URL KEY; see llama.sh."""

import sys
import time

import anthropic
import openai

URL, KEY = sys.argv[1:3]
CHAT = openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
MESSAGES = anthropic.Anthropic(base_url=URL, api_key=KEY, max_retries=0)
USER = [{"role": "user", "content": "Say something."}]
SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 12}}, "required": ["city"]}


def check(model: str) -> None:
    whole = CHAT.chat.completions.create(model=model, messages=USER, max_tokens=16)
    assert whole.usage and whole.usage.completion_tokens > 0 and whole.choices[0].finish_reason in ("stop", "length"), whole
    options = {"include_usage": True}
    with CHAT.chat.completions.stream(model=model, messages=USER, max_tokens=16, stream_options=options) as stream:
        last = stream.get_final_completion()
    assert last.usage and last.usage.completion_tokens > 0, last
    answer = CHAT.responses.create(model=model, input="Say something.", max_output_tokens=16)
    assert answer.usage and answer.status in ("completed", "incomplete"), answer
    message = MESSAGES.messages.create(model=model, messages=USER, max_tokens=16)
    assert message.usage.output_tokens > 0 and message.stop_reason in ("end_turn", "max_tokens"), message
    with MESSAGES.messages.stream(model=model, messages=USER, max_tokens=16) as events:
        assert events.get_final_message().usage.output_tokens > 0
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": SCHEMA}}
    called = CHAT.chat.completions.create(model=model, messages=USER, tools=[tool], tool_choice="required", max_tokens=256)
    assert called.choices[0].message.tool_calls or called.choices[0].finish_reason == "length", called
    print("ok", model, "chat, responses, messages, streamed and not, a call")


def reachable() -> None:
    """The proxy takes a new key a moment after it was made."""
    for _ in range(200):
        try:
            CHAT.models.list()
            return
        except openai.AuthenticationError:
            time.sleep(0.05)
    raise AssertionError("the proxy never took the key")


reachable()
for alias in ("to-chat", "to-messages"):
    check(alias)
