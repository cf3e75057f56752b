import { HttpError, callJson, forward } from '@prodgy/http-service';

const PUBLIC = new Set(['POST /api/login']);
// The gateway's own question to the API; nobody outside has to ask it.
const INTERNAL = new Set(['/api/tokens/verify']);

/**
 * The handler of everything but /health: /api/… goes to the API, /agentic/… to agentic, after the caller's API token
 * or session has been checked with the API.
 */
export function createGateway({ apiUrl, agenticUrl, apiToken, agenticToken, call = callJson, send = forward }) {
  async function identify(request) {
    const token = /^Bearer (\S+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (!token) throw new HttpError(401, 'an API token is needed: Authorization: Bearer …');
    return call(`${apiUrl}/tokens/verify`, { method: 'POST', body: { token }, serviceToken: apiToken });
  }

  const targets = [
    { prefix: '/api', url: apiUrl, headers: {} },
    { prefix: '/agentic', url: agenticUrl, headers: agenticToken ? { 'x-service-token': agenticToken } : {} },
  ];

  return async (request, response, url) => {
    const target = targets.find(({ prefix }) => url.pathname.startsWith(`${prefix}/`));
    if (!target || INTERNAL.has(url.pathname)) throw new HttpError(404, `no route ${request.method} ${url.pathname}`);
    if (!PUBLIC.has(`${request.method} ${url.pathname}`)) await identify(request);
    const rest = url.pathname.slice(target.prefix.length) + url.search;
    return send(request, response, target.url.replace(/\/$/, '') + rest, { headers: target.headers });
  };
}
