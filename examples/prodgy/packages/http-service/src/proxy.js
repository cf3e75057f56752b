import http from 'node:http';
import https from 'node:https';

import { reply, send } from './reply.js';

const TIMEOUT = 30_000;
const NOT_FORWARDED = ['connection', 'keep-alive', 'upgrade', 'te', 'trailer', 'host', 'x-service-token'];

/**
 * Sends a request on to `url` and streams the answer back.
 *
 * A caller's own X-Service-Token is dropped: only `headers` may set one.
 */
export function forward(request, response, url, { headers = {}, timeout = TIMEOUT } = {}) {
  const target = new URL(url);
  const kept = Object.entries(request.headers).filter(([name]) => !NOT_FORWARDED.includes(name));
  const options = { method: request.method, headers: { ...Object.fromEntries(kept), ...headers }, timeout };
  const client = target.protocol === 'https:' ? https : http;
  return new Promise((resolve) => {
    const upstream = client.request(target, options, (answer) => {
      const own = Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !NOT_FORWARDED.includes(name)));
      response.writeHead(answer.statusCode, own);
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    upstream.on('timeout', () => upstream.destroy(Object.assign(new Error('timeout'), { code: 'ETIMEDOUT' })));
    upstream.on('error', (error) => {
      if (response.headersSent) response.destroy();
      else send(response, reply(502, { error: `${target.host} cannot be reached (${error.code})` }));
    });
    response.on('close', () => {
      upstream.destroy();
      resolve();
    });
    request.pipe(upstream);
  });
}
