import { dependencyHealth, startService } from '@prodgy/http-service';

import { createGateway } from './gateway.js';

const env = process.env;
const apiUrl = env.API_URL || 'http://api:3001';
const agenticUrl = env.AGENTIC_URL || 'http://agentic:3005';

startService({
  name: 'gateway',
  port: Number(env.PORT || 3004),
  corsOrigins: env.CORS_ORIGINS,
  dependencies: { api: dependencyHealth(apiUrl), agentic: dependencyHealth(agenticUrl) },
  fallback: createGateway({
    apiUrl,
    agenticUrl,
    apiToken: env.API_SERVICE_TOKEN,
    agenticToken: env.AGENTIC_SERVICE_TOKEN,
  }),
});
