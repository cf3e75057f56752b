import { HttpError, reply, requireServiceToken } from '@prodgy/http-service';

function checked({ type, payload = {}, max_attempts: maxAttempts = 3 }, handlers) {
  if (!Object.hasOwn(handlers, type ?? '')) throw new HttpError(422, `'type' must be one of ${Object.keys(handlers).join(', ')}`);
  if (payload === null || typeof payload !== 'object') throw new HttpError(422, "'payload' must be an object");
  if (!Number.isInteger(maxAttempts) || maxAttempts < 1 || maxAttempts > 20)
    throw new HttpError(422, "'max_attempts' must be a number from 1 to 20");
  return { type, payload, maxAttempts };
}

/** The routes on a queue (see queue.js). */
export function createRoutes({ queue, handlers, ownToken }) {
  const reaching = (handler) => async (context) => {
    try {
      return await handler(context);
    } catch (error) {
      if (error instanceof HttpError) throw error;
      throw new HttpError(503, `redis cannot be reached (${error.message})`);
    }
  };
  const guard = (handler) => requireServiceToken(ownToken, reaching(handler));

  async function show({ params }) {
    const job = await queue.get(params.id);
    if (!job) throw new HttpError(404, `no job ${params.id}`);
    return job;
  }

  async function revive({ params }) {
    if (!(await queue.revive(params.id))) throw new HttpError(404, `no dead letter ${params.id}`);
    return reply(202, { id: params.id });
  }

  return {
    'POST /jobs': guard(async ({ body }) => reply(202, { id: await queue.add(checked(body, handlers)) })),
    'GET /jobs/:id': guard(show),
    'GET /dead-letters': guard(async () => ({ jobs: await queue.deadLetters() })),
    'POST /dead-letters/:id/retry': guard(revive),
  };
}
