// The official OpenAI client for Node: chat completions and responses, with its helpers for streams.
import OpenAI from 'openai';
import { CALL, PLAN, REFUSE, SAY, SCHEMA, check, names, raises, result, run, same } from './sdk_common.mjs';

const client = new OpenAI({ baseURL: `${PLAN.proxy}/v1`, apiKey: PLAN.key, maxRetries: 0 });
const user = (content) => [{ role: 'user', content }];
const functions = (truth) => names(truth).map((name) => ({ type: 'function', function: { name, parameters: SCHEMA } }));
const flat = (truth) => names(truth).map((name) => ({ type: 'function', name, parameters: SCHEMA, strict: false }));

function chatLook(answer, model, truth) {
  const [choice] = answer.choices;
  same('model', answer.model, model);
  same('finish_reason', choice.finish_reason, truth.tools.length ? 'tool_calls' : 'stop');
  const calls = (choice.message.tool_calls ?? []).map((call) => [call.function.name, call.function.arguments]);
  check(truth, choice.message.content ?? '', calls, [answer.usage.prompt_tokens, answer.usage.completion_tokens]);
}

async function chatAgain(model, message, scenes, tools) {
  const results = message.tool_calls.map((call, index) => ({ role: 'tool', tool_call_id: call.id, content: result(index) }));
  const messages = [...user(CALL), message, ...results];
  chatLook(await client.chat.completions.create({ model, messages, tools }), model, scenes.text);
}

const chatStream = (body) => client.chat.completions.stream({ ...body, stream_options: { include_usage: true } });

function respondLook(answer, model, truth) {
  same('model', answer.model, model);
  same('status', answer.status, 'completed');
  const calls = answer.output.filter((item) => item.type === 'function_call').map((item) => [item.name, item.arguments]);
  const texts = answer.output.filter((item) => item.type === 'message').flatMap((item) => item.content.map((part) => part.text));
  check(truth, texts.join(''), calls, [answer.usage.input_tokens, answer.usage.output_tokens]);
}

async function respondAgain(model, answer, scenes, tools) {
  const calls = answer.output.filter((item) => item.type === 'function_call');
  const results = calls.map((call, index) => ({ type: 'function_call_output', call_id: call.call_id, output: result(index) }));
  const told = answer.output.map(({ parsed_arguments, ...item }) => item);
  respondLook(await client.responses.create({ model, input: [...user(CALL), ...told, ...results], tools }), model, scenes.text);
}

const refused = (error) => error instanceof OpenAI.BadRequestError;
const unknown = (error) => error instanceof OpenAI.NotFoundError && error.code === 'model_not_found';

await run('openai-node', {
  'chat-text': async (model, scenes) =>
    chatLook(await client.chat.completions.create({ model, messages: user(SAY) }), model, scenes.text),
  'chat-stream': async (model, scenes) =>
    chatLook(await chatStream({ model, messages: user(SAY) }).finalChatCompletion(), model, scenes.text_stream),
  'chat-tools': async (model, scenes) => {
    const tools = functions(scenes.tools);
    const answer = await client.chat.completions.create({ model, messages: user(CALL), tools });
    chatLook(answer, model, scenes.tools);
    await chatAgain(model, answer.choices[0].message, scenes, tools);
  },
  'chat-tools-stream': async (model, scenes) => {
    const tools = functions(scenes.tools_stream);
    const answer = await chatStream({ model, messages: user(CALL), tools }).finalChatCompletion();
    chatLook(answer, model, scenes.tools_stream);
    await chatAgain(model, answer.choices[0].message, scenes, tools);
  },
  'chat-errors': async (model) => {
    await raises(unknown, () => client.chat.completions.create({ model: 'no-such-model', messages: user(SAY) }));
    for (const stream of [false, true]) {
      await raises(refused, () => client.chat.completions.create({ model, messages: user(REFUSE), stream }));
    }
  },
  'responses-text': async (model, scenes) =>
    respondLook(await client.responses.create({ model, input: SAY }), model, scenes.text),
  'responses-stream': async (model, scenes) =>
    respondLook(await client.responses.stream({ model, input: SAY }).finalResponse(), model, scenes.text_stream),
  'responses-tools': async (model, scenes) => {
    const tools = flat(scenes.tools);
    const answer = await client.responses.create({ model, input: CALL, tools });
    respondLook(answer, model, scenes.tools);
    await respondAgain(model, answer, scenes, tools);
  },
  'responses-tools-stream': async (model, scenes) => {
    const tools = flat(scenes.tools_stream);
    const answer = await client.responses.stream({ model, input: CALL, tools }).finalResponse();
    respondLook(answer, model, scenes.tools_stream);
    await respondAgain(model, answer, scenes, tools);
  },
  'responses-errors': async (model) => {
    await raises(unknown, () => client.responses.create({ model: 'no-such-model', input: SAY }));
    for (const stream of [false, true]) {
      await raises(refused, () => client.responses.create({ model, input: REFUSE, stream }));
    }
  },
});
