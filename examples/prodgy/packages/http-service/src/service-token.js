import { createHash, timingSafeEqual } from 'node:crypto';

import { HttpError } from './errors.js';

const digest = (text) => createHash('sha256').update(text).digest();

/** Lets only callers through that show `token` as X-Service-Token; without a token configured, everybody. */
export function requireServiceToken(token, handler) {
  if (!token) return handler;
  return (context) => {
    const shown = context.request.headers['x-service-token'] ?? '';
    // Digests have equal lengths, which the comparison needs.
    if (!timingSafeEqual(digest(shown), digest(token))) throw new HttpError(403, 'service token missing or wrong');
    return handler(context);
  };
}
