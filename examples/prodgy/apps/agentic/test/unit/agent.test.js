import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createService } from '@prodgy/http-service';
import { send, serve } from '@prodgy/test-kit';

import { plan, run } from '../../src/agent.js';
import { createRoutes } from '../../src/routes.js';

const ask = async ({ message }) => ({ answer: `re: ${message}`, cached: false });

test('a message is answered question by question', () => {
  assert.deepEqual(plan('What is it? Who made it? Tell me.'), ['What is it?', 'Who made it?', 'Tell me.']);
});

test('a message without a question is one step', () => assert.deepEqual(plan('Tell me.'), ['Tell me.']));

test('no message takes more than five steps, and none of it is lost', () => {
  const steps = plan('a? b? c? d? e? f? g?');
  assert.equal(steps.length, 5);
  assert.equal(steps.join(' '), 'a? b? c? d? e? f? g?');
});

test('a run joins the answers of its steps', async () => {
  const { answer, steps } = await run({ agent: 'helper', instructions: 'x', message: 'One? Two?' }, ask);
  assert.equal(answer, 're: One?\nre: Two?');
  assert.deepEqual(steps[0], { question: 'One?', answer: 're: One?', cached: false });
});

test('POST /runs checks its body and the service token', async (t) => {
  const log = { info() {}, warn() {}, error() {} };
  const routes = createRoutes({ ask, ownToken: 'between services' });
  const url = await serve(t, createService({ name: 'agentic', log, routes }));
  const post = (body, headers) => send('POST', `${url}/runs`, { body, headers });
  const token = { 'x-service-token': 'between services' };
  const good = { agent: 'helper', instructions: 'x', message: 'One?' };
  assert.equal((await post(good, {})).status, 403);
  assert.equal((await post({ ...good, message: '' }, token)).status, 422);
  assert.equal((await post(good, token)).body.answer, 're: One?');
});
