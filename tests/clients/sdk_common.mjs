// What the scripts of all Node clients share; the plan and the report are those of sdk_common.py.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

export const PLAN = JSON.parse(readFileSync(process.argv[2], 'utf8'));
export const SAY = 'Say something.';
export const CALL = 'Call the tools.';
export const REFUSE = '#refuse';
export const SCHEMA = { type: 'object', properties: { note: { type: 'string' } }, additionalProperties: true };

/** The tools to offer, each once. */
export const names = (truth) => [...new Set(truth.tools.map((tool) => tool.name))];
/** The result of the call at this place; the upstream checks that each comes. */
export const result = (index) => `result number ${index} of the tools`;
export const same = (what, got, wanted) => assert.deepEqual(got, wanted, `${what}: got ${JSON.stringify(got)}, wanted ${JSON.stringify(wanted)}`);

/** Text, calls and usage are those of the recording; arguments may come as text or as an object. */
export function check(truth, text, calls, usage) {
  same('text', text, truth.text);
  const parsed = calls.map(([name, given]) => ({ name, arguments: typeof given === 'string' ? JSON.parse(given || '{}') : given }));
  same('calls', parsed, truth.tools);
  if (usage) same('usage', usage, [truth.input_tokens, truth.output_tokens]);
}

/** The error that an action ends with, which is of this kind. */
export async function raises(kind, action) {
  try {
    await action();
  } catch (error) {
    if (kind(error)) return error;
    throw error;
  }
  throw new Error('no error was raised');
}

/** Runs each step against each upstream: `step(model, scenes)`. */
export async function run(client, steps) {
  let failed = 0;
  for (const [upstream, scenes] of Object.entries(PLAN.upstreams)) {
    for (const [name, step] of Object.entries(steps)) {
      try {
        await step(`to-${upstream}`, scenes);
        console.log('ok', client, upstream, name);
      } catch (error) {
        failed += 1;
        console.log('FAILED', client, upstream, name, String(error?.message ?? error).replaceAll('\n', ' | ').slice(0, 1500));
        console.error(error?.stack);
      }
    }
  }
  process.exitCode = failed ? 1 : 0;
}
