import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { test } from 'node:test';

import { send, serviceUrl } from '@prodgy/test-kit';

const url = await serviceUrl(3005);
const token = process.env.AGENTIC_SERVICE_TOKEN;
const headers = token ? { 'x-service-token': token } : {};
const run = (message) => send('POST', `${url}/runs`, { headers, body: { agent: 'helper', instructions: 'x', message } });

test('health names the engine', async () => {
  assert.deepEqual((await send('GET', `${url}/health`)).body.dependencies, { engine: 'ok' });
});

test('the engine answers each step and remembers it', async () => {
  const message = `What is ${randomUUID()}?`;
  const first = await run(message);
  assert.equal(first.status, 201);
  assert.match(first.body.answer, /^About .*: noted\. \[[0-9a-f]{8}\]$/);
  const second = await run(message);
  assert.equal(second.body.answer, first.body.answer);
  assert.deepEqual([first, second].map(({ body }) => body.steps[0].cached), [false, true]);
});
