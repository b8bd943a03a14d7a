// Vercel's `ai` with its providers for OpenAI (chat and responses), Anthropic and Google.
import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogleGenerativeAI } from '@ai-sdk/google';
import { createOpenAI } from '@ai-sdk/openai';
import { APICallError, generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai';
import { CALL, PLAN, REFUSE, SAY, SCHEMA, check, names, raises, result, run, same } from './sdk_common.mjs';

const apiKey = PLAN.key;
const openai = createOpenAI({ baseURL: `${PLAN.proxy}/v1`, apiKey });
const anthropic = createAnthropic({ baseURL: `${PLAN.proxy}/v1`, apiKey });
const google = createGoogleGenerativeAI({ baseURL: `${PLAN.proxy}/v1beta`, apiKey });

const usage = ({ inputTokens, outputTokens }) => [inputTokens, outputTokens];

/** Both turns of a tool call, run by the framework: the calls of the first, the text of the second. */
async function bothTurns(how, asked, truth) {
  const called = [];
  const execute = (name) => async (given) => {
    called.push([name, given]);
    return result(called.length - 1);
  };
  const offer = Object.fromEntries(names(truth).map((name) => [name, tool({ inputSchema: jsonSchema(SCHEMA), execute: execute(name) })]));
  const done = await how({ ...asked, tools: offer, stopWhen: stepCountIs(2) });
  if (done.consumeStream) await done.consumeStream();
  const [first, second] = await done.steps;
  same('finish of the first turn', first.finishReason, 'tool-calls');
  check(truth, first.text, called, usage(first.usage));
  same('finish of the second turn', second.finishReason, 'stop');
  return second;
}

function steps(of, providerOptions) {
  const ask = (model, prompt) => ({ model: of(model), prompt, providerOptions, maxRetries: 0, onError() {} });
  const status = (code) => (error) => APICallError.isInstance(error) && error.statusCode === code;
  return {
    text: async (model, scenes) => {
      const done = await generateText(ask(model, SAY));
      same('finish', done.finishReason, 'stop');
      check(scenes.text, done.text, [], usage(done.usage));
    },
    stream: async (model, scenes) => {
      const done = streamText(ask(model, SAY));
      let text = '';
      for await (const piece of done.textStream) text += piece;
      same('finish', await done.finishReason, 'stop');
      check(scenes.text_stream, text, [], usage(await done.usage));
    },
    tools: async (model, scenes) => {
      const second = await bothTurns(generateText, ask(model, CALL), scenes.tools);
      check(scenes.text, second.text, [], usage(second.usage));
    },
    'tools-stream': async (model, scenes) => {
      const second = await bothTurns(streamText, ask(model, CALL), scenes.tools_stream);
      check(scenes.text_stream, second.text, [], usage(second.usage));
    },
    errors: async (model) => {
      await raises(status(404), () => generateText(ask('no-such-model', SAY)));
      await raises(status(400), () => generateText(ask(model, REFUSE)));
    },
  };
}

const named = (prefix, all) => Object.fromEntries(Object.entries(all).map(([name, step]) => [`${prefix}-${name}`, step]));

await run('ai', {
  ...named('openai-chat', steps((model) => openai.chat(model))),
  // Without `store: false` the second turn refers to items that only OpenAI could have kept.
  ...named('openai-responses', steps((model) => openai.responses(model), { openai: { store: false } })),
  ...named('anthropic', steps((model) => anthropic(model))),
  ...named('google', steps((model) => google(model))),
});
