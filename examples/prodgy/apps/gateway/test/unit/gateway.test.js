import assert from 'node:assert/strict';
import { test } from 'node:test';

import { HttpError, createService } from '@prodgy/http-service';
import { send, serve } from '@prodgy/test-kit';

import { createGateway } from '../../src/gateway.js';

const quiet = { info() {}, warn() {}, error() {} };

/** A gateway in front of one service that tells what it was asked; the token "good" is the only valid one. */
async function start(t) {
  const seen = [];
  const tell = (request, response, url) => {
    seen.push(`${request.method} ${url.pathname}${url.search} ${request.headers['x-service-token'] ?? '-'}`);
    response.end('{}');
  };
  const upstream = await serve(t, createService({ name: 'upstream', log: quiet, fallback: tell }));
  const call = async (url, { body }) => {
    if (body.token !== 'good') throw new HttpError(401, 'the token is wrong or expired');
  };
  const fallback = createGateway({ apiUrl: upstream, agenticUrl: upstream, agenticToken: 'inner', call });
  return { url: await serve(t, createService({ name: 'gateway', log: quiet, fallback })), seen };
}

test('the prefix chooses the service and is taken off', async (t) => {
  const { url, seen } = await start(t);
  await send('GET', `${url}/api/agents?page=2`, { token: 'good' });
  await send('GET', `${url}/agentic/runs`, { token: 'good' });
  assert.deepEqual(seen, ['GET /agents?page=2 -', 'GET /runs inner']);
});

test('without a valid token nothing is forwarded', async (t) => {
  const { url, seen } = await start(t);
  for (const token of [undefined, 'bad']) assert.equal((await send('GET', `${url}/api/agents`, { token })).status, 401);
  assert.deepEqual(seen, []);
});

test('the login needs no token', async (t) => {
  const { url, seen } = await start(t);
  await send('POST', `${url}/api/login`, { body: {} });
  assert.deepEqual(seen, ['POST /login -']);
});

test('what is internal or unknown is a 404', async (t) => {
  const { url, seen } = await start(t);
  for (const path of ['/api/tokens/verify', '/engine/answers', '/']) {
    assert.equal((await send('POST', `${url}${path}`, { token: 'good', body: {} })).status, 404);
  }
  assert.deepEqual(seen, []);
});
