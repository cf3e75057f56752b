import http from 'node:http';

import { allowOrigins } from './cors.js';
import { HttpError } from './errors.js';
import { checkHealth } from './health.js';
import { createLogger } from './log.js';
import { reply, send } from './reply.js';
import { createRouter } from './router.js';

const BODY_LIMIT = 64 * 1024;
const HAS_BODY = new Set(['POST', 'PUT', 'PATCH']);

export const revision = () => process.env.PRODGY_REVISION || 'unknown';

async function readJson(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > BODY_LIMIT) throw new HttpError(413, `the body is larger than ${BODY_LIMIT} bytes`);
    chunks.push(chunk);
  }
  if (size === 0) return {};
  try {
    const value = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    if (value !== null && typeof value === 'object' && !Array.isArray(value)) return value;
  } catch {
    // The same refusal as for JSON that is no object.
  }
  throw new HttpError(400, 'the body must be a JSON object');
}

/**
 * A Node http.Server that answers with JSON.
 *
 * @param {object} options
 *   name          the service's name, as /health and the log show it
 *   routes        {'GET /agents/:id': async ({request, params, query, body}) => value or reply(…)}
 *   dependencies  what /health asks, see checkHealth
 *   corsOrigins   comma-separated origins that browsers may call from
 *   fallback      (request, response, url) => …, raw, for what no route names; 404 without one
 */
export function createService({ name, routes = {}, dependencies = {}, corsOrigins = '', fallback, log = createLogger(name) }) {
  const corsHeaders = allowOrigins(corsOrigins);
  const find = createRouter({ 'GET /health': health, ...routes });

  async function health() {
    const onDown = (dependency, error) => log.warn('dependency down', { dependency, reason: error.message });
    const { status, dependencies: states } = await checkHealth(dependencies, onDown);
    const body = { status, service: name, revision: revision(), dependencies: states };
    return reply(status === 'ok' ? 200 : 503, body, { 'cache-control': 'no-store' });
  }

  async function answer(request, response) {
    const url = new URL(request.url, 'http://service');
    for (const [header, value] of Object.entries(corsHeaders(request.headers.origin))) response.setHeader(header, value);
    response.setHeader('vary', 'Origin');
    if (request.method === 'OPTIONS') return send(response, undefined);
    const route = find(request.method, url.pathname);
    if (!route && fallback) return fallback(request, response, url);
    if (!route) throw new HttpError(404, `no route ${request.method} ${url.pathname}`);
    const body = HAS_BODY.has(request.method) ? await readJson(request) : {};
    return send(response, await route.handler({ request, params: route.params, query: url.searchParams, body }));
  }

  return http.createServer(async (request, response) => {
    const started = performance.now();
    response.on('close', () => {
      const milliseconds = Math.round(performance.now() - started);
      const path = request.url.split('?')[0];
      if (path !== '/health') log.info('request', { method: request.method, path, status: response.statusCode, milliseconds });
    });
    try {
      await answer(request, response);
    } catch (error) {
      const status = error instanceof HttpError ? error.status : 500;
      if (status === 500) log.error('request failed', { reason: error.stack });
      if (response.headersSent) response.destroy();
      else send(response, reply(status, { error: status === 500 ? 'internal error' : error.message }));
    }
  });
}

/** Starts the service on `port`; SIGTERM and SIGINT let open requests finish, run `onStop` and end the process. */
export function startService(options) {
  const log = options.log ?? createLogger(options.name);
  const server = createService({ ...options, log });
  server.listen(options.port, () => log.info('listening', { port: server.address().port, revision: revision() }));
  let stopping = false;
  const stop = (signal) => {
    if (stopping) return;
    stopping = true;
    log.info('stopping', { signal });
    setTimeout(() => process.exit(0), 5000).unref();
    server.close(async () => {
      await options.onStop?.();
      process.exit(0);
    });
    server.closeIdleConnections();
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  return server;
}
