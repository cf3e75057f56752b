import { HttpError, reply, requireServiceToken } from '@prodgy/http-service';

import { run } from './agent.js';

/** The routes; `ask(question)` sends a question to the engine and resolves to {answer, cached}. */
export function createRoutes({ ask, ownToken }) {
  async function createRun({ body }) {
    for (const key of ['agent', 'instructions', 'message'])
      if (typeof body[key] !== 'string' || body[key].trim() === '') throw new HttpError(422, `'${key}' must be a text`);
    return reply(201, await run(body, ask));
  }

  return { 'POST /runs': requireServiceToken(ownToken, createRun) };
}
