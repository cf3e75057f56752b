import { HttpError } from './errors.js';

const TIMEOUT = 10_000;

/**
 * Calls another service with JSON and returns its JSON.
 *
 * Throws an HttpError: 502 when the service cannot be reached, its own status when it answers with an error.
 */
export async function callJson(url, { method = 'GET', body, serviceToken, timeout = TIMEOUT } = {}) {
  const headers = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (serviceToken) headers['x-service-token'] = serviceToken;
  const request = { method, headers, signal: AbortSignal.timeout(timeout) };
  if (body !== undefined) request.body = JSON.stringify(body);
  const response = await fetch(url, request).catch((error) => {
    throw new HttpError(502, `${new URL(url).host} cannot be reached (${error.cause?.code ?? error.name})`);
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new HttpError(response.status, answer.error ?? `${new URL(url).host} said ${response.status}`);
  return answer;
}

/** A health check of another service, for `dependencies`. */
export const dependencyHealth = (baseUrl) => () => callJson(`${baseUrl}/health`, { timeout: 2000 });
