"""The official OpenAI client against a running `breakwater dev`: what an application does on its first day.

Usage: openai_client.py READY_FILE. Exits 0 if every step holds; prints one line a step.
"""

import json
import sys

import openai


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        ready = json.load(file)
    client = openai.OpenAI(base_url=ready["proxy_url"] + "/v1", api_key=ready["api_key"], max_retries=0)

    models = [model.id for model in client.models.list()]
    assert "assistant" in models, models
    print("models listing:", ", ".join(models))

    question = [{"role": "user", "content": "Say hello to the newcomer."}]
    plain = client.chat.completions.create(model="assistant", messages=question)
    text = plain.choices[0].message.content
    assert text and plain.choices[0].finish_reason == "stop", plain
    assert plain.model == "assistant", plain.model
    assert plain.usage and plain.usage.total_tokens > 0, plain.usage
    print("plain chat:", text)

    parts, last = [], None
    for chunk in client.chat.completions.create(model="assistant", messages=question, stream=True):
        assert chunk.model == "assistant", chunk.model
        assert chunk.usage is None, "usage was not asked for"
        for choice in chunk.choices:
            parts.append(choice.delta.content or "")
            last = choice.finish_reason or last
    assert "".join(parts).strip() and last == "stop", (parts, last)
    assert len(parts) > 2, "a stream comes in parts"
    print("streamed chat:", "".join(parts))

    with_usage = client.chat.completions.create(
        model="assistant", messages=question, stream=True, stream_options={"include_usage": True}
    )
    usage = [chunk.usage for chunk in with_usage if chunk.usage]
    assert len(usage) == 1 and usage[0].total_tokens > 0, usage
    print("streamed usage:", usage[0].total_tokens, "tokens")

    tool = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather of a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    called = client.chat.completions.create(
        model="assistant",
        messages=[{"role": "user", "content": "What is the weather in Tokyo?"}],
        tools=[tool],
        tool_choice="required",
    )
    calls = called.choices[0].message.tool_calls
    assert calls and calls[0].function.name == "get_weather", called
    json.loads(calls[0].function.arguments)
    assert called.choices[0].finish_reason == "tool_calls", called
    print("tool call:", calls[0].function.name, calls[0].function.arguments)

    try:
        client.chat.completions.create(model="no-such-model", messages=question)
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error.code
        print("error, unknown model:", error.status_code, error.code)
    else:
        raise AssertionError("an unknown model was answered")

    try:
        openai.OpenAI(base_url=ready["proxy_url"] + "/v1", api_key="bw-wrong", max_retries=0).models.list()
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key", error.code
        print("error, wrong key:", error.status_code, error.code)
    else:
        raise AssertionError("a wrong key was let in")


if __name__ == "__main__":
    main()
