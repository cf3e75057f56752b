import assert from 'node:assert/strict';
import { test } from 'node:test';

import { handlers } from '../../src/handlers.js';
import { work } from '../../src/worker.js';

const log = { info() {}, warn() {} };

/** A queue of one job that records what becomes of it. */
function queueOf(job) {
  const outcome = [];
  return {
    outcome,
    take: async () => job,
    complete: async (done, result) => outcome.push(['done', result]),
    fail: async (failed, error) => outcome.push(['failed', error.message]),
  };
}

async function outcomeOf(job) {
  const queue = queueOf({ id: '1', attempts: 1, max_attempts: 3, payload: {}, ...job });
  assert.equal(await work({ queue, handlers, log }), true);
  return queue.outcome;
}

test('a job is completed with its result', async () => {
  assert.deepEqual(await outcomeOf({ type: 'echo', payload: { a: 1 } }), [['done', { a: 1 }]]);
  assert.deepEqual(await outcomeOf({ type: 'count-words', payload: { text: ' two words ' } }), [['done', { words: 2 }]]);
});

test('a handler that throws fails its job with the reason', async () => {
  assert.deepEqual(await outcomeOf({ type: 'flaky' }), [['failed', 'attempt 1 of a job that fails 1 times']]);
  assert.deepEqual(await outcomeOf({ type: 'flaky', attempts: 2 }), [['done', { attempt: 2 }]]);
});

test('a job of an unknown type fails', async () => {
  assert.deepEqual(await outcomeOf({ type: 'nothing' }), [['failed', "no handler for 'nothing'"]]);
});

test('a job whose last worker died is not run once more', async () => {
  const [[verdict]] = await outcomeOf({ type: 'echo', attempts: 4 });
  assert.equal(verdict, 'failed');
});

test('a completion that does not reach Redis is no failure of the job', async () => {
  const queue = queueOf({ id: '1', type: 'echo', attempts: 1, max_attempts: 3, payload: {} });
  queue.complete = async () => {
    throw new Error('redis is gone');
  };
  await assert.rejects(work({ queue, handlers, log }), /redis is gone/);
  assert.deepEqual(queue.outcome, []);
});

test('an empty queue is no work', async () => {
  assert.equal(await work({ queue: queueOf(undefined), handlers, log }), false);
});
