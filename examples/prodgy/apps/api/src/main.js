import { randomBytes } from 'node:crypto';

import { createLogger, dependencyHealth, startService } from '@prodgy/http-service';

import { connect } from './database.js';
import { createRoutes } from './routes.js';
import { createSessions } from './sessions.js';

const env = process.env;
const log = createLogger('api');
const agenticUrl = env.AGENTIC_URL || 'http://agentic:3005';

if (!env.JWT_SECRET) log.warn('JWT_SECRET is not set: sessions end with this process');
const sessions = createSessions(env.JWT_SECRET || randomBytes(32).toString('hex'), env.JWT_LIFETIME || '1h');

const database = connect({
  url: env.DATABASE_URL || 'postgres://prodgy:prodgy@postgres:5432/prodgy',
  seed: { email: env.SEED_EMAIL || 'demo@prodgy.example', password: env.SEED_PASSWORD || 'prodgy-demo' },
  log,
});

startService({
  name: 'api',
  port: Number(env.PORT || 3001),
  log,
  corsOrigins: env.CORS_ORIGINS,
  dependencies: { database: database.check, agentic: dependencyHealth(agenticUrl) },
  routes: createRoutes({
    store: database.store,
    sessions,
    agenticUrl,
    agenticToken: env.AGENTIC_SERVICE_TOKEN,
    ownToken: env.API_SERVICE_TOKEN,
  }),
  onStop: database.close,
});
