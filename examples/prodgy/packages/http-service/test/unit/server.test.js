import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';

import { HttpError, createService, forward, reply, requireServiceToken } from '@prodgy/http-service';
import { send, serve } from '@prodgy/test-kit';

const quiet = { info() {}, warn() {}, error() {} };
const start = (t, options) => serve(t, createService({ name: 'sample', log: quiet, ...options }));

test('health tells service, revision and dependencies', async (t) => {
  process.env.PRODGY_REVISION = 'abc123';
  t.after(() => delete process.env.PRODGY_REVISION);
  const url = await start(t, { dependencies: { redis: async () => 'PONG' } });
  const { status, body } = await send('GET', `${url}/health`);
  assert.equal(status, 200);
  assert.deepEqual(body, { status: 'ok', service: 'sample', revision: 'abc123', dependencies: { redis: 'ok' } });
});

test('health is 503 when one dependency is down, without saying why in public', async (t) => {
  const down = async () => {
    throw new Error('connect to secret-host refused');
  };
  const url = await start(t, { dependencies: { redis: async () => 'PONG', database: down } });
  const { status, body } = await send('GET', `${url}/health`);
  assert.equal(status, 503);
  assert.deepEqual(body.dependencies, { redis: 'ok', database: 'down' });
  assert.doesNotMatch(JSON.stringify(body), /secret-host/);
});

test('a handler gets parameters, query and body', async (t) => {
  const handler = ({ params, query, body }) => reply(201, { id: params.id, page: query.get('page'), ...body });
  const url = await start(t, { routes: { 'POST /things/:id': handler } });
  const { status, body } = await send('POST', `${url}/things/7?page=2`, { body: { name: 'x' } });
  assert.equal(status, 201);
  assert.deepEqual(body, { id: '7', page: '2', name: 'x' });
});

test('a handler that returns nothing gives an empty 204', async (t) => {
  const url = await start(t, { routes: { 'DELETE /things/:id': () => undefined } });
  assert.equal((await send('DELETE', `${url}/things/7`)).status, 204);
});

test('errors: what the caller may know is told, anything else is hidden', async (t) => {
  const refuse = () => {
    throw new HttpError(409, 'already there');
  };
  const crash = () => {
    throw new Error('password=hunter2');
  };
  const url = await start(t, { routes: { 'GET /refuse': refuse, 'GET /crash': crash } });
  assert.deepEqual((await send('GET', `${url}/refuse`)).body, { error: 'already there' });
  const crashed = await send('GET', `${url}/crash`);
  assert.deepEqual([crashed.status, crashed.body], [500, { error: 'internal error' }]);
  assert.equal((await send('GET', `${url}/nowhere`)).status, 404);
});

for (const [what, body, status] of [
  ['no JSON', '{"a":', 400],
  ['JSON that is no object', '[1]', 400],
  ['too much', `{"a":"${'x'.repeat(70_000)}"}`, 413],
]) {
  test(`a body that is ${what} is a ${status}`, async (t) => {
    const url = await start(t, { routes: { 'POST /things': () => 'never' } });
    assert.equal((await fetch(`${url}/things`, { method: 'POST', body })).status, status);
  });
}

test('CORS headers are for listed origins only', async (t) => {
  const url = await start(t, { corsOrigins: 'https://app.example.com, http://localhost:3000' });
  const allowed = async (origin) => {
    const { headers } = await send('OPTIONS', `${url}/health`, { headers: { origin } });
    return headers.get('access-control-allow-origin');
  };
  assert.equal(await allowed('https://app.example.com'), 'https://app.example.com');
  assert.equal(await allowed('http://localhost:3000'), 'http://localhost:3000');
  assert.equal(await allowed('https://evil.example.com'), null);
});

test('a service token is required where one is configured', async (t) => {
  const url = await start(t, { routes: { 'GET /inner': requireServiceToken('right', () => 'in') } });
  const status = async (headers) => (await send('GET', `${url}/inner`, { headers })).status;
  assert.equal(await status({}), 403);
  assert.equal(await status({ 'x-service-token': 'wrong' }), 403);
  assert.equal(await status({ 'x-service-token': 'right' }), 200);
});

test("a forwarded request keeps its body and loses the caller's service token", async (t) => {
  const echo = ({ request, body }) => ({ ...body, token: request.headers['x-service-token'] ?? null });
  const upstream = await start(t, { routes: { 'POST /echo': echo } });
  const url = await start(t, { fallback: (request, response, { pathname }) => forward(request, response, upstream + pathname) });
  const { body } = await send('POST', `${url}/echo`, { body: { a: 1 }, headers: { 'x-service-token': 'forged' } });
  assert.deepEqual(body, { a: 1, token: null });
});

test('forwarding to a service that is away is a 502', async (t) => {
  const closed = http.createServer();
  const address = await new Promise((resolve) => closed.listen(0, '127.0.0.1', () => resolve(closed.address())));
  await new Promise((resolve) => closed.close(resolve));
  const url = await start(t, { fallback: (request, response) => forward(request, response, `http://127.0.0.1:${address.port}/`) });
  const { status, body } = await send('GET', `${url}/x`);
  assert.equal(status, 502);
  assert.match(body.error, /cannot be reached \(ECONNREFUSED\)/);
});
