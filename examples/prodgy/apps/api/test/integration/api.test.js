import assert from 'node:assert/strict';
import { test } from 'node:test';

import { send, serviceUrl } from '@prodgy/test-kit';
import pg from 'pg';

const url = await serviceUrl(3001);
const email = process.env.SEED_EMAIL || 'demo@prodgy.example';
const password = process.env.SEED_PASSWORD || 'prodgy-demo';
const login = (body = { email, password }) => send('POST', `${url}/login`, { body });
const session = (await login()).body.token;

async function rows(sql, values) {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL || 'postgres://prodgy:prodgy@postgres:5432/prodgy' });
  await client.connect();
  try {
    return (await client.query(sql, values)).rows;
  } finally {
    await client.end();
  }
}

test('health names database and agentic', async () => {
  assert.deepEqual((await send('GET', `${url}/health`)).body.dependencies, { database: 'ok', agentic: 'ok' });
});

test('the login gives a JWT with an expiry that opens /me', async () => {
  const claims = JSON.parse(Buffer.from(session.split('.')[1], 'base64url'));
  assert.ok(claims.exp > Date.now() / 1000);
  assert.equal((await send('GET', `${url}/me`, { token: session })).body.email, email);
});

test('a wrong password is refused, and so is /me without a login', async () => {
  assert.equal((await login({ email, password: 'wrong' })).status, 401);
  assert.equal((await send('GET', `${url}/me`)).status, 401);
});

test('an API token works and PostgreSQL holds only its hash', async () => {
  const { token, id } = (await send('POST', `${url}/tokens`, { token: session, body: { name: 'api test' } })).body;
  assert.equal((await send('GET', `${url}/me`, { token })).status, 200);
  const [row] = await rows('SELECT * FROM api_tokens WHERE id = $1', [id]);
  assert.match(row.token_hash, /^[0-9a-f]{64}$/);
  assert.ok(!JSON.stringify(row).includes(token));
  await send('DELETE', `${url}/tokens/${id}`, { token: session });
  assert.equal((await send('GET', `${url}/me`, { token })).status, 401);
});

test('a Playground message is answered by the engine and kept', async () => {
  const body = { agent: 'summariser', message: 'What is PostgreSQL?' };
  const { status, body: kept } = await send('POST', `${url}/playground/messages`, { token: session, body });
  assert.equal(status, 201);
  assert.match(kept.answer, /^About postgresql: noted\. \[[0-9a-f]{8}\]$/);
  const [row] = await rows('SELECT agent, answer FROM messages WHERE id = $1', [kept.id]);
  assert.deepEqual(row, { agent: 'summariser', answer: kept.answer });
});

test('the agents are listed', async () => {
  const { agents } = (await send('GET', `${url}/agents`, { token: session })).body;
  assert.deepEqual(agents.map(({ name }) => name).slice(0, 2), ['helper', 'summariser']);
});

test('an origin that is not configured gets no CORS header', async () => {
  const { headers } = await send('OPTIONS', `${url}/login`, { headers: { origin: 'https://evil.example.com' } });
  assert.equal(headers.get('access-control-allow-origin'), null);
});
