import { HttpError, callJson, reply, requireServiceToken } from '@prodgy/http-service';

import { hashApiToken, hashPassword, isApiToken, newApiToken, passwordMatches } from './secrets.js';

// Compared against when the user is unknown, so that both refusals take equally long.
const NOBODY = await hashPassword('');

function text(body, key, limit = 4000) {
  const value = body[key];
  if (typeof value !== 'string' || value.trim() === '' || value.length > limit)
    throw new HttpError(422, `'${key}' must be a text of 1 to ${limit} characters`);
  return value;
}

/** The API's routes on a store (see database.js) and sessions (see sessions.js). */
export function createRoutes({ store, sessions, agenticUrl, agenticToken, ownToken, call = callJson }) {
  const identify = (token) => (isApiToken(token) ? store.userByTokenHash(hashApiToken(token)) : sessions.read(token));

  const bearer = (request) => /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';

  const signedIn = (handler) => async (context) => {
    const user = await identify(bearer(context.request));
    if (!user) throw new HttpError(401, 'sign in: the token is missing, wrong or expired');
    return handler({ ...context, user });
  };

  // A leaked API token must not be able to make itself successors.
  const inSession = (handler) =>
    signedIn((context) => {
      if (isApiToken(bearer(context.request))) throw new HttpError(403, 'API tokens are managed in a session only');
      return handler(context);
    });

  async function login({ body }) {
    const user = await store.userByEmail(text(body, 'email'));
    const matches = await passwordMatches(text(body, 'password'), user?.password_hash ?? NOBODY);
    if (!user || !matches) throw new HttpError(401, 'wrong e-mail or password');
    return { token: await sessions.issue(user), token_type: 'Bearer' };
  }

  async function addToken({ user, body }) {
    const token = newApiToken();
    const row = await store.addToken(user.id, text(body, 'name', 100), hashApiToken(token));
    return reply(201, { ...row, token });
  }

  async function removeToken({ user, params }) {
    const id = /^\d{1,9}$/.test(params.id) ? Number(params.id) : 0;
    if (!(await store.removeToken(user.id, id))) throw new HttpError(404, `no token ${params.id}`);
  }

  async function verify({ body }) {
    const token = text(body, 'token');
    const user = await identify(token);
    if (!user) throw new HttpError(401, 'the token is wrong or expired');
    return { valid: true, kind: isApiToken(token) ? 'api-token' : 'session', user: { id: user.id, email: user.email } };
  }

  async function playground({ user, body }) {
    const message = text(body, 'message');
    const name = body.agent === undefined ? 'helper' : text(body, 'agent', 100);
    const agent = await store.agentByName(name);
    if (!agent) throw new HttpError(404, `no agent '${name}'`);
    const run = { agent: agent.name, instructions: agent.instructions, message };
    const { answer } = await call(`${agenticUrl}/runs`, { method: 'POST', body: run, serviceToken: agenticToken });
    return reply(201, await store.addMessage(user.id, agent.name, message, answer));
  }

  return {
    'POST /login': login,
    'GET /me': signedIn(({ user }) => ({ id: user.id, email: user.email })),
    'GET /tokens': inSession(async ({ user }) => ({ tokens: await store.tokens(user.id) })),
    'POST /tokens': inSession(addToken),
    'DELETE /tokens/:id': inSession(removeToken),
    'POST /tokens/verify': requireServiceToken(ownToken, verify),
    'GET /agents': signedIn(async () => ({ agents: await store.agents() })),
    'POST /playground/messages': signedIn(playground),
  };
}
