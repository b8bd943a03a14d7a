// The official Anthropic client for Node: messages, with its helper for streams.
import Anthropic from '@anthropic-ai/sdk';
import { CALL, PLAN, REFUSE, SAY, SCHEMA, check, names, raises, result, run, same } from './sdk_common.mjs';

const client = new Anthropic({ baseURL: PLAN.proxy, apiKey: PLAN.key, maxRetries: 0 });
const asked = (model, content, more) => ({ model, max_tokens: 500, messages: [{ role: 'user', content }], ...more });
const offered = (truth) => names(truth).map((name) => ({ name, input_schema: SCHEMA }));

function look(answer, model, truth) {
  same('model', answer.model, model);
  same('stop_reason', answer.stop_reason, truth.tools.length ? 'tool_use' : 'end_turn');
  const text = answer.content.filter((block) => block.type === 'text').map((block) => block.text).join('');
  const calls = answer.content.filter((block) => block.type === 'tool_use').map((block) => [block.name, block.input]);
  check(truth, text, calls, [answer.usage.input_tokens, answer.usage.output_tokens]);
}

async function again(model, answer, scenes, tools) {
  const calls = answer.content.filter((block) => block.type === 'tool_use');
  const content = calls.map((call, index) => ({ type: 'tool_result', tool_use_id: call.id, content: result(index) }));
  const body = asked(model, CALL, { tools });
  body.messages.push({ role: 'assistant', content: answer.content }, { role: 'user', content });
  look(await client.messages.create(body), model, scenes.text);
}

const kind = (type) => (error) => error instanceof Anthropic.APIError && error.error?.error?.type === type;

await run('anthropic-node', {
  text: async (model, scenes) => look(await client.messages.create(asked(model, SAY)), model, scenes.text),
  stream: async (model, scenes) =>
    look(await client.messages.stream(asked(model, SAY)).finalMessage(), model, scenes.text_stream),
  tools: async (model, scenes) => {
    const tools = offered(scenes.tools);
    const answer = await client.messages.create(asked(model, CALL, { tools }));
    look(answer, model, scenes.tools);
    await again(model, answer, scenes, tools);
  },
  'tools-stream': async (model, scenes) => {
    const tools = offered(scenes.tools_stream);
    const answer = await client.messages.stream(asked(model, CALL, { tools })).finalMessage();
    look(answer, model, scenes.tools_stream);
    await again(model, answer, scenes, tools);
  },
  errors: async (model) => {
    await raises(kind('not_found_error'), () => client.messages.create(asked('no-such-model', SAY)));
    for (const stream of [false, true]) {
      await raises(kind('invalid_request_error'), () => client.messages.create(asked(model, REFUSE, { stream })));
    }
  },
});
