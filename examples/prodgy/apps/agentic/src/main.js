import { callJson, dependencyHealth, startService } from '@prodgy/http-service';

import { createRoutes } from './routes.js';

const env = process.env;
const engineUrl = env.ENGINE_URL || 'http://engine:8001';

startService({
  name: 'agentic',
  port: Number(env.PORT || 3005),
  dependencies: { engine: dependencyHealth(engineUrl) },
  routes: createRoutes({
    ask: (question) =>
      callJson(`${engineUrl}/answers`, { method: 'POST', body: question, serviceToken: env.ENGINE_SERVICE_TOKEN }),
    ownToken: env.AGENTIC_SERVICE_TOKEN,
  }),
});
