"""Google's client for Gemini: generateContent, streamed and not."""

from google import genai
from google.genai import errors, types
from sdk_common import CALL, PLAN, REFUSE, SAY, SCHEMA, check, names, raises, result, run, same

client = genai.Client(api_key=PLAN["key"], http_options=types.HttpOptions(base_url=PLAN["proxy"]))
generate = client.models.generate_content


def config(truth: dict) -> types.GenerateContentConfig:
    declared = [types.FunctionDeclaration(name=name, parameters_json_schema=SCHEMA) for name in names(truth)]
    silent = types.AutomaticFunctionCallingConfig(disable=True)
    return types.GenerateContentConfig(tools=[types.Tool(function_declarations=declared)], automatic_function_calling=silent)


def look(answers: list, truth: dict) -> None:
    parts = [part for answer in answers for one in answer.candidates or [] for part in (one.content and one.content.parts) or []]
    text = "".join(part.text for part in parts if part.text and not part.thought)
    calls = [(part.function_call.name, part.function_call.args or {}) for part in parts if part.function_call]
    ends = [one.finish_reason for answer in answers for one in answer.candidates or [] if one.finish_reason]
    same("finish_reason", [end.value for end in ends], ["STOP"])
    usage = [answer.usage_metadata for answer in answers if answer.usage_metadata][-1]
    said = (usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0)
    check(truth, text, calls, (usage.prompt_token_count, said))


def text(model: str, scenes: dict) -> None:
    look([generate(model=model, contents=SAY)], scenes["text"])


def stream(model: str, scenes: dict) -> None:
    look(list(client.models.generate_content_stream(model=model, contents=SAY)), scenes["text_stream"])


def second_turn(model: str, answers: list, scenes: dict, truth: dict) -> None:
    parts = [part for answer in answers for one in answer.candidates or [] for part in (one.content and one.content.parts) or []]
    results = [
        types.Part(function_response=types.FunctionResponse(id=call.id, name=call.name, response={"result": result(i)}))
        for i, call in enumerate(part.function_call for part in parts if part.function_call)
    ]
    contents = [
        types.Content(role="user", parts=[types.Part(text=CALL)]),
        types.Content(role="model", parts=parts),
        types.Content(role="user", parts=results),
    ]
    look([generate(model=model, contents=contents, config=config(truth))], scenes["text"])


def tools(model: str, scenes: dict) -> None:
    answer = generate(model=model, contents=CALL, config=config(scenes["tools"]))
    look([answer], scenes["tools"])
    second_turn(model, [answer], scenes, scenes["tools"])


def tools_stream(model: str, scenes: dict) -> None:
    truth = scenes["tools_stream"]
    answers = list(client.models.generate_content_stream(model=model, contents=CALL, config=config(truth)))
    look(answers, truth)
    second_turn(model, answers, scenes, truth)


def failures(model: str, scenes: dict) -> None:
    error = raises(errors.ClientError, lambda: generate(model="no-such-model", contents=SAY))
    same("unknown model", (error.code, error.status), (404, "NOT_FOUND"))
    error = raises(errors.ClientError, lambda: generate(model=model, contents=REFUSE))
    same("refused", (error.code, error.status), (400, "INVALID_ARGUMENT"))
    streamed = lambda: list(client.models.generate_content_stream(model=model, contents=REFUSE))
    same("refused stream", raises(errors.ClientError, streamed).code, 400)


run("google-genai", {
    "text": text, "stream": stream, "tools": tools, "tools-stream": tools_stream, "errors": failures,
})
