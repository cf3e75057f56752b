import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkHealth, retry } from '@prodgy/http-service';

test('retry returns the first success and reports the failures before it', async () => {
  const failures = [];
  let calls = 0;
  const action = async () => {
    calls += 1;
    if (calls < 3) throw new Error(`failure ${calls}`);
    return 'done';
  };
  assert.equal(await retry(action, { delay: 1, onFailure: (error) => failures.push(error.message) }), 'done');
  assert.deepEqual(failures, ['failure 1', 'failure 2']);
});

test('retry gives up after its attempts with the last error', async () => {
  const action = async () => {
    throw new Error('still down');
  };
  await assert.rejects(retry(action, { attempts: 2, delay: 1 }), /still down/);
});

test('a dependency that never answers is down', async () => {
  const reasons = [];
  const report = await checkHealth({ redis: () => new Promise(() => {}) }, (name, error) => reasons.push(error.message), 20);
  assert.deepEqual(report, { status: 'unavailable', dependencies: { redis: 'down' } });
  assert.deepEqual(reasons, ['no answer within 20 ms']);
});
