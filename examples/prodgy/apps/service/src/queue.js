import { randomUUID } from 'node:crypto';

// In Redis: `ready` and `leases` are sorted sets of job ids, by the time they are due and by the end of the lease;
// `dead` is a list of ids; each job is a hash. A job is in exactly one of ready, leases, dead, or it is done.
const READY = 'jobs:ready';
const LEASES = 'jobs:leases';
const DEAD = 'jobs:dead';
const key = (id) => `job:${id}`;

const MOVE_DUE = `
  local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', 0, ARGV[3])
  for _, id in ipairs(ids) do
    redis.call('ZREM', KEYS[1], id)
    redis.call('ZADD', KEYS[2], ARGV[2], id)
  end
  return ids`;

const KEPT_SECONDS = 24 * 3600;

/** A queue in Redis with at-least-once delivery: a job whose worker dies is taken again when its lease ends. */
export function createQueue(redis, { leaseSeconds = 10, retryDelay = 200, now = Date.now } = {}) {
  // One script, so that a job is never in two sets, nor in none, whoever dies in between.
  const moveDue = (from, to, score, limit) => redis.eval(MOVE_DUE, 2, from, to, now(), score, limit);

  async function get(id) {
    const job = await redis.hgetall(key(id));
    if (!job.type) return undefined;
    const result = job.result === undefined ? {} : { result: JSON.parse(job.result) };
    const error = job.error === undefined ? {} : { error: job.error };
    const numbers = { attempts: Number(job.attempts), max_attempts: Number(job.max_attempts) };
    return { id, type: job.type, payload: JSON.parse(job.payload), status: job.status, ...numbers, ...result, ...error };
  }

  async function add({ type, payload = {}, maxAttempts = 3 }) {
    const id = randomUUID();
    const fields = { type, payload: JSON.stringify(payload), status: 'queued', attempts: 0, max_attempts: maxAttempts };
    await redis.multi().hset(key(id), fields).zadd(READY, now(), id).exec();
    return id;
  }

  /** Takes the next job, for the length of the lease; undefined if none is due. */
  async function take() {
    const [id] = await moveDue(READY, LEASES, now() + leaseSeconds * 1000, 1);
    if (!id) return undefined;
    await redis.multi().hincrby(key(id), 'attempts', 1).hset(key(id), 'status', 'running').exec();
    const job = await get(id);
    // An id whose hash is gone: what hincrby has just made of it goes too.
    if (!job) await redis.multi().zrem(LEASES, id).del(key(id)).exec();
    return job;
  }

  const complete = (job, result) =>
    redis
      .multi()
      .hset(key(job.id), { status: 'done', result: JSON.stringify(result ?? null) })
      .hdel(key(job.id), 'error')
      .zrem(LEASES, job.id)
      .zrem(READY, job.id)
      .expire(key(job.id), KEPT_SECONDS)
      .exec();

  /** Puts a failed job back with a growing delay or, after its last attempt, among the dead letters. */
  function fail(job, error) {
    const dead = job.attempts >= job.max_attempts;
    const move = redis.multi().hset(key(job.id), { status: dead ? 'dead' : 'queued', error: error.message }).zrem(LEASES, job.id);
    if (dead) move.lpush(DEAD, job.id);
    else move.zadd(READY, now() + retryDelay * 2 ** (job.attempts - 1), job.id);
    return move.exec();
  }

  /** Makes jobs ready again whose worker did not finish in time; returns their ids. */
  const recover = () => moveDue(LEASES, READY, now(), 100);

  const deadLetters = async () => (await Promise.all((await redis.lrange(DEAD, 0, 99)).map(get))).filter(Boolean);

  /** Gives a dead letter its attempts anew; false if there is none of that id. */
  async function revive(id) {
    if ((await redis.lrem(DEAD, 1, id)) === 0) return false;
    await redis.multi().hset(key(id), { status: 'queued', attempts: 0 }).zadd(READY, now(), id).exec();
    return true;
  }

  return { add, get, take, complete, fail, recover, deadLetters, revive };
}
