"""Two frameworks as their users use them: langchain-openai and pydantic-ai, each in OpenAI's formats."""

import openai
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI
from pydantic_ai import Agent, ModelHTTPError, Tool
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider
from sdk_common import CALL, PLAN, REFUSE, SAY, SCHEMA, check, names, raises, result, run, same

URL = PLAN["proxy"] + "/v1"


def langchain(model: str, **more) -> ChatOpenAI:
    return ChatOpenAI(base_url=URL, api_key=PLAN["key"], model=model, max_retries=0, stream_usage=True, **more)


def look(answer, truth: dict) -> None:
    usage = answer.usage_metadata
    calls = [(call["name"], call["args"]) for call in answer.tool_calls]
    same("invalid calls", answer.invalid_tool_calls, [])
    check(truth, answer.text, calls, (usage["input_tokens"], usage["output_tokens"]))


def added(chunks):
    total = None
    for chunk in chunks:
        total = chunk if total is None else total + chunk
    return total


def chain_tools(chat: ChatOpenAI, scenes: dict, scene: str) -> None:
    truth = scenes[scene]
    offer = [{"type": "function", "function": {"name": name, "description": "x", "parameters": SCHEMA}} for name in names(truth)]
    bound = chat.bind_tools(offer)
    answer = added(bound.stream(CALL)) if scene.endswith("stream") else bound.invoke(CALL)
    look(answer, truth)
    results = [ToolMessage(result(i), tool_call_id=call["id"]) for i, call in enumerate(answer.tool_calls)]
    look(bound.invoke([HumanMessage(CALL), answer, *results]), scenes["text"])


def chain_steps(responses: bool) -> dict:
    def chat(model: str) -> ChatOpenAI:
        return langchain(model, use_responses_api=responses)

    def errors(model: str, scenes: dict) -> None:
        raises(openai.NotFoundError, lambda: chat("no-such-model").invoke(SAY))
        raises(openai.BadRequestError, lambda: chat(model).invoke(REFUSE))

    api = "responses" if responses else "chat"
    return {
        f"langchain-{api}-text": lambda model, scenes: look(chat(model).invoke(SAY), scenes["text"]),
        f"langchain-{api}-stream": lambda model, scenes: look(added(chat(model).stream(SAY)), scenes["text_stream"]),
        f"langchain-{api}-tools": lambda model, scenes: chain_tools(chat(model), scenes, "tools"),
        f"langchain-{api}-tools-stream": lambda model, scenes: chain_tools(chat(model), scenes, "tools_stream"),
        f"langchain-{api}-errors": errors,
    }


def agent_steps(kind: type, api: str) -> dict:
    def agent(model: str, tools: list | None = None) -> Agent:
        provider = OpenAIProvider(openai_client=openai.AsyncOpenAI(base_url=URL, api_key=PLAN["key"], max_retries=0))
        return Agent(kind(model, provider=provider), tools=tools or [])

    async def text(model: str, scenes: dict) -> None:
        done = await agent(model).run(SAY)
        check(scenes["text"], done.output, [], None) if not scenes["text"]["tools"] else None
        same("usage", (done.usage.input_tokens, done.usage.output_tokens),
             (scenes["text"]["input_tokens"], scenes["text"]["output_tokens"]))

    async def stream(model: str, scenes: dict) -> None:
        async with agent(model).run_stream(SAY) as done:
            pieces = [piece async for piece in done.stream_text(delta=True, debounce_by=None)]
            same("text", "".join(pieces), scenes["text_stream"]["text"])
        truth = scenes["text_stream"]
        same("usage", (done.usage.input_tokens, done.usage.output_tokens), (truth["input_tokens"], truth["output_tokens"]))

    async def tools(model: str, scenes: dict) -> None:
        truth, called = scenes["tools"], []

        def make(name: str) -> Tool:
            def tool(**given) -> str:
                called.append((name, given))
                return result(len(called) - 1)

            return Tool.from_schema(tool, name=name, description="x", json_schema=SCHEMA, sequential=True)

        done = await agent(model, [make(name) for name in names(truth)]).run(CALL)
        check({**truth, "text": scenes["text"]["text"]}, done.output, called, None)

    async def errors(model: str, scenes: dict) -> None:
        for asked, words, status in (("no-such-model", SAY, 404), (model, REFUSE, 400)):
            try:
                await agent(asked).run(words)
            except ModelHTTPError as error:
                same("status", error.status_code, status)
            else:
                raise AssertionError("no error was raised")

    prefix = f"pydantic-ai-{api}"
    return {f"{prefix}-text": text, f"{prefix}-stream": stream, f"{prefix}-tools": tools, f"{prefix}-errors": errors}


run("frameworks", {
    **chain_steps(False), **chain_steps(True),
    **agent_steps(OpenAIChatModel, "chat"), **agent_steps(OpenAIResponsesModel, "responses"),
})
