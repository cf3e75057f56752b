import { createHash, randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(scrypt);
const TOKEN_PREFIX = 'prodgy_';

/** "salt:hash" of a password, slow to guess. */
export async function hashPassword(password, salt = randomBytes(16).toString('hex')) {
  return `${salt}:${(await derive(password, salt, 32)).toString('hex')}`;
}

export async function passwordMatches(password, stored) {
  const again = await hashPassword(password, stored.split(':')[0]);
  return timingSafeEqual(Buffer.from(again), Buffer.from(stored));
}

export const newApiToken = () => `${TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;

export const isApiToken = (token) => token.startsWith(TOKEN_PREFIX);

/** A fast hash suffices: an API token is 256 random bits, no guessable word. */
export const hashApiToken = (token) => createHash('sha256').update(token).digest('hex');
