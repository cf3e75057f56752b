import assert from 'node:assert/strict';
import { test } from 'node:test';

import { createService } from '@prodgy/http-service';
import { send, serve } from '@prodgy/test-kit';

import { handlers } from '../../src/handlers.js';
import { createRoutes } from '../../src/routes.js';

const log = { info() {}, warn() {}, error() {} };
const start = (t, queue, ownToken) =>
  serve(t, createService({ name: 'service', log, routes: createRoutes({ queue, handlers, ownToken }) }));

test('a job is accepted with its defaults', async (t) => {
  const added = [];
  const url = await start(t, { add: async (job) => added.push(job) && 'id-1' });
  const { status, body } = await send('POST', `${url}/jobs`, { body: { type: 'echo' } });
  assert.deepEqual([status, body], [202, { id: 'id-1' }]);
  assert.deepEqual(added, [{ type: 'echo', payload: {}, maxAttempts: 3 }]);
});

for (const body of [{}, { type: 'constructor' }, { type: 'echo', payload: 1 }, { type: 'echo', max_attempts: 0 }]) {
  test(`the job ${JSON.stringify(body)} is refused`, async (t) => {
    const url = await start(t, { add: () => assert.fail('must not be added') });
    assert.equal((await send('POST', `${url}/jobs`, { body })).status, 422);
  });
}

test('unknown jobs and dead letters are 404', async (t) => {
  const url = await start(t, { get: async () => undefined, revive: async () => false });
  assert.equal((await send('GET', `${url}/jobs/x`)).status, 404);
  assert.equal((await send('POST', `${url}/dead-letters/x/retry`)).status, 404);
});

test('Redis being away is a 503', async (t) => {
  const gone = async () => {
    throw new Error('Connection is closed.');
  };
  const url = await start(t, { add: gone });
  assert.equal((await send('POST', `${url}/jobs`, { body: { type: 'echo' } })).status, 503);
});

test('a service token is required where one is configured', async (t) => {
  const url = await start(t, { get: async () => ({ id: 'x' }) }, 'right');
  assert.equal((await send('GET', `${url}/jobs/x`)).status, 403);
  assert.equal((await send('GET', `${url}/jobs/x`, { headers: { 'x-service-token': 'right' } })).status, 200);
});
