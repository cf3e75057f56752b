import assert from 'node:assert/strict';
import { test } from 'node:test';

import { send, serviceUrl } from '@prodgy/test-kit';

const url = await serviceUrl(3004);
const email = process.env.SEED_EMAIL || 'demo@prodgy.example';
const password = process.env.SEED_PASSWORD || 'prodgy-demo';
const session = (await send('POST', `${url}/api/login`, { body: { email, password } })).body.token;

test('health names the services behind', async () => {
  assert.deepEqual((await send('GET', `${url}/health`)).body.dependencies, { api: 'ok', agentic: 'ok' });
});

test('a request with an API token is forwarded to the API', async () => {
  const { token } = (await send('POST', `${url}/api/tokens`, { token: session, body: { name: 'gateway test' } })).body;
  const { status, body } = await send('GET', `${url}/api/me`, { token });
  assert.deepEqual([status, body.email], [200, email]);
});

test('a removed token is refused', async () => {
  const { id, token } = (await send('POST', `${url}/api/tokens`, { token: session, body: { name: 'short' } })).body;
  assert.equal((await send('DELETE', `${url}/api/tokens/${id}`, { token: session })).status, 204);
  assert.equal((await send('GET', `${url}/api/me`, { token })).status, 401);
});

test('no token, a bogus token and an altered session are refused', async () => {
  for (const token of [undefined, 'prodgy_bogus', `${session}x`]) {
    assert.equal((await send('GET', `${url}/api/agents`, { token })).status, 401);
  }
});

test('a Playground message is answered through the gateway', async () => {
  const body = { agent: 'helper', message: 'What is a gateway?' };
  const { status, body: answer } = await send('POST', `${url}/api/playground/messages`, { token: session, body });
  assert.equal(status, 201);
  assert.match(answer.answer, /^About gateway: noted\./);
});

test('agentic is reached directly as well', async () => {
  const body = { agent: 'helper', instructions: 'x', message: 'What is a run?' };
  assert.equal((await send('POST', `${url}/agentic/runs`, { token: session, body })).status, 201);
});

test('the API keeps its refusals on the way back', async () => {
  const wrong = await send('POST', `${url}/api/login`, { body: { email, password: 'wrong' } });
  assert.deepEqual([wrong.status, wrong.body], [401, { error: 'wrong e-mail or password' }]);
  assert.equal((await send('POST', `${url}/api/tokens/verify`, { body: { token: session } })).status, 404);
});
