import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';

import { send, serviceUrl, until } from '@prodgy/test-kit';
import { Redis } from 'ioredis';

const url = await serviceUrl(3002);
const redis = new Redis(process.env.REDIS_URL || 'redis://redis:6379');
after(() => redis.disconnect());

const token = process.env.SERVICE_SERVICE_TOKEN;
const headers = token ? { 'x-service-token': token } : {};
const add = async (body) => (await send('POST', `${url}/jobs`, { body, headers })).body.id;
const job = async (id) => (await send('GET', `${url}/jobs/${id}`, { headers })).body;
const finished = (id, status) => until(`job is ${status}`, async () => {
  const now = await job(id);
  return now.status === status && now;
});

test('health names redis', async () => {
  assert.deepEqual((await send('GET', `${url}/health`)).body.dependencies, { redis: 'ok' });
});

test('a job is done and its result kept', async () => {
  const id = await add({ type: 'count-words', payload: { text: 'one two three' } });
  assert.deepEqual((await finished(id, 'done')).result, { words: 3 });
});

test('a job that fails twice is tried a third time', async () => {
  const id = await add({ type: 'flaky', payload: { failures: 2 } });
  const { attempts, result } = await finished(id, 'done');
  assert.deepEqual([attempts, result], [3, { attempt: 3 }]);
});

test('many jobs at once are all done', async () => {
  const ids = await Promise.all(Array.from({ length: 40 }, (_, n) => add({ type: 'echo', payload: { n } })));
  const results = await Promise.all(ids.map(async (id) => (await finished(id, 'done')).result.n));
  assert.deepEqual(results, ids.map((_, n) => n));
});

test('at least once: a job whose worker died is taken by another when the lease ends', async () => {
  // What a worker leaves behind that took a job and was killed: the job is running, its lease about to end.
  const id = randomUUID();
  const fields = { type: 'echo', payload: '{"kept":true}', status: 'running', attempts: 1, max_attempts: 3 };
  await redis.multi().hset(`job:${id}`, fields).zadd('jobs:leases', Date.now() + 500, id).exec();
  const { attempts, result } = await finished(id, 'done');
  assert.deepEqual([attempts, result], [2, { kept: true }]);
  assert.equal(await redis.zscore('jobs:leases', id), null);
});

test('a job that never succeeds becomes a dead letter, with its last error, and can be given another chance', async () => {
  const id = await add({ type: 'flaky', payload: { failures: 99 }, max_attempts: 2 });
  const dead = await finished(id, 'dead');
  assert.equal(dead.attempts, 2);
  assert.match(dead.error, /attempt 2 of a job/);
  const letters = async () => (await send('GET', `${url}/dead-letters`, { headers })).body.jobs.map((letter) => letter.id);
  assert.ok((await letters()).includes(id));
  assert.equal((await send('POST', `${url}/dead-letters/${id}/retry`, { headers })).status, 202);
  await until('it is dead again', async () => (await letters()).includes(id));
  assert.equal((await send('POST', `${url}/dead-letters/${randomUUID()}/retry`, { headers })).status, 404);
});

test('a job whose workers all died becomes a dead letter instead of running for ever', async () => {
  const id = randomUUID();
  const fields = { type: 'echo', payload: '{}', status: 'running', attempts: 3, max_attempts: 3 };
  await redis.multi().hset(`job:${id}`, fields).zadd('jobs:leases', Date.now() - 1, id).exec();
  assert.match((await finished(id, 'dead')).error, /did not finish/);
});
