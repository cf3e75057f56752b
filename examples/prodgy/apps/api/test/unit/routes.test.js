import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HttpError, createService } from '@prodgy/http-service';
import { send, serve } from '@prodgy/test-kit';

import { createRoutes } from '../../src/routes.js';
import { hashPassword } from '../../src/secrets.js';
import { createSessions } from '../../src/sessions.js';
import { memoryStore } from './memory-store.js';

const quiet = { info() {}, warn() {}, error() {} };
const PASSWORD = 'correct horse';
const passwordHash = await hashPassword(PASSWORD);

/** The API on a store in memory; `call` stands for agentic. */
async function start(t, { call, ownToken, lifetime = '1h' } = {}) {
  const store = memoryStore([{ id: 1, email: 'ada@example.com', password_hash: passwordHash }]);
  const sessions = createSessions('a secret for tests', lifetime);
  const routes = createRoutes({ store, sessions, agenticUrl: 'http://agentic', call, ownToken });
  const url = await serve(t, createService({ name: 'api', log: quiet, routes }));
  const login = (password = PASSWORD, email = 'ada@example.com') => send('POST', `${url}/login`, { body: { email, password } });
  return { url, store, login };
}

test('a login gives a token that expires and opens /me', async (t) => {
  const { url, login } = await start(t);
  const { token } = (await login()).body;
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'));
  assert.equal(claims.exp - claims.iat, 3600);
  assert.deepEqual((await send('GET', `${url}/me`, { token })).body, { id: 1, email: 'ada@example.com' });
});

test('wrong password and unknown user get the same refusal', async (t) => {
  const { login } = await start(t);
  const refusals = [await login('wrong'), await login(PASSWORD, 'nobody@example.com')];
  assert.deepEqual(refusals.map(({ status }) => status), [401, 401]);
  assert.deepEqual(refusals[0].body, refusals[1].body);
});

test('/me refuses no token, an altered one and an expired one', async (t) => {
  const { url, login } = await start(t);
  const { token } = (await login()).body;
  const expired = (await (await start(t, { lifetime: '-1s' })).login()).body.token;
  for (const bad of [undefined, `${token.slice(0, -3)}abc`, expired, 'prodgy_bogus']) {
    assert.equal((await send('GET', `${url}/me`, { token: bad })).status, 401);
  }
});

test('an API token is shown once, kept as a hash, and opens /me until it is removed', async (t) => {
  const { url, store, login } = await start(t);
  const session = (await login()).body.token;
  const made = await send('POST', `${url}/tokens`, { token: session, body: { name: 'ci' } });
  assert.equal(made.status, 201);
  assert.ok(!JSON.stringify(store.rows).includes(made.body.token));
  assert.ok(!JSON.stringify((await send('GET', `${url}/tokens`, { token: session })).body).includes(made.body.token));
  assert.equal((await send('GET', `${url}/me`, { token: made.body.token })).status, 200);
  assert.equal((await send('DELETE', `${url}/tokens/${made.body.id}`, { token: session })).status, 204);
  assert.equal((await send('GET', `${url}/me`, { token: made.body.token })).status, 401);
});

test('an API token cannot make further tokens', async (t) => {
  const { url, login } = await start(t);
  const session = (await login()).body.token;
  const { token } = (await send('POST', `${url}/tokens`, { token: session, body: { name: 'ci' } })).body;
  assert.equal((await send('POST', `${url}/tokens`, { token, body: { name: 'more' } })).status, 403);
});

test('verify tells whose token it is, to callers with the service token', async (t) => {
  const { url, login } = await start(t, { ownToken: 'between services' });
  const { token } = (await login()).body;
  const verify = (headers) => send('POST', `${url}/tokens/verify`, { body: { token }, headers });
  assert.equal((await verify({})).status, 403);
  const { body } = await verify({ 'x-service-token': 'between services' });
  assert.deepEqual(body, { valid: true, kind: 'session', user: { id: 1, email: 'ada@example.com' } });
});

test('a Playground message goes to agentic and its answer is kept', async (t) => {
  const calls = [];
  const call = async (url, { body }) => {
    calls.push([url, body]);
    return { answer: 'About it.' };
  };
  const { url, store, login } = await start(t, { call });
  const { token } = (await login()).body;
  const { status, body } = await send('POST', `${url}/playground/messages`, { token, body: { message: 'What?' } });
  assert.equal(status, 201);
  assert.equal(body.answer, 'About it.');
  assert.deepEqual(calls, [['http://agentic/runs', { agent: 'helper', instructions: 'Help.', message: 'What?' }]]);
  assert.equal(store.rows.messages.length, 1);
});

for (const [what, body, status] of [
  ['no message', {}, 422],
  ['an empty message', { message: ' ' }, 422],
  ['an unknown agent', { message: 'x', agent: 'nobody' }, 404],
]) {
  test(`a Playground request with ${what} is a ${status}`, async (t) => {
    const { url, login } = await start(t, { call: () => assert.fail('agentic must not be asked') });
    const { token } = (await login()).body;
    assert.equal((await send('POST', `${url}/playground/messages`, { token, body })).status, status);
  });
}

test('agentic being away is told as such', async (t) => {
  const call = async () => {
    throw new HttpError(502, 'agentic cannot be reached');
  };
  const { url, login } = await start(t, { call });
  const { token } = (await login()).body;
  assert.equal((await send('POST', `${url}/playground/messages`, { token, body: { message: 'x' } })).status, 502);
});
