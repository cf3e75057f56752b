import { setTimeout as sleep } from 'node:timers/promises';

const IDLE = 50;
const AFTER_ERROR = 500;

/** Takes one job and runs its handler; returns whether there was one. */
export async function work({ queue, handlers, log }) {
  const job = await queue.take();
  if (!job) return false;
  // A worker that died in its last attempt never got to count it.
  if (job.attempts > job.max_attempts) {
    await queue.fail(job, new Error('the worker did not finish the last attempt'));
    return true;
  }
  let result;
  try {
    const handler = handlers[job.type];
    if (!handler) throw new Error(`no handler for '${job.type}'`);
    result = await handler(job.payload, job.attempts);
  } catch (error) {
    log.warn('job failed', { job: job.id, type: job.type, attempt: job.attempts, reason: error.message });
    await queue.fail(job, error);
    return true;
  }
  await queue.complete(job, result);
  log.info('job done', { job: job.id, type: job.type, attempt: job.attempts });
  return true;
}

/** Works until stopped; `stop()` resolves once the job in hand is finished. Redis being away is waited out. */
export function startWorker({ queue, handlers, log }) {
  let running = true;
  const loop = (async () => {
    while (running) {
      try {
        await queue.recover();
        if (!(await work({ queue, handlers, log }))) await sleep(IDLE);
      } catch (error) {
        log.warn('worker waits', { reason: error.message });
        await sleep(AFTER_ERROR);
      }
    }
  })();
  return {
    stop: () => {
      running = false;
      return loop;
    },
  };
}
