import { createLogger, startService } from '@prodgy/http-service';
import { Redis } from 'ioredis';

import { handlers } from './handlers.js';
import { createQueue } from './queue.js';
import { createRoutes } from './routes.js';
import { startWorker } from './worker.js';

const env = process.env;
const log = createLogger('service');
// Commands fail instead of waiting for a Redis that is gone, so that callers hear of it; the connection is retried.
const redis = new Redis(env.REDIS_URL || 'redis://redis:6379', {
  maxRetriesPerRequest: 1,
  connectTimeout: 2000,
  commandTimeout: 2000,
  retryStrategy: (times) => Math.min(times * 100, 1000),
});
redis.on('error', (error) => log.warn('redis', { reason: error.message || error.code }));
redis.on('ready', () => log.info('redis ready'));

const queue = createQueue(redis, {
  leaseSeconds: Number(env.LEASE_SECONDS || 10),
  retryDelay: Number(env.RETRY_DELAY_MS || 200),
});
const worker = startWorker({ queue, handlers, log });

startService({
  name: 'service',
  port: Number(env.PORT || 3002),
  log,
  dependencies: { redis: () => redis.ping() },
  routes: createRoutes({ queue, handlers, ownToken: env.SERVICE_SERVICE_TOKEN }),
  onStop: async () => {
    await worker.stop();
    redis.disconnect();
  },
});
