import { SignJWT, jwtVerify } from 'jose';

const ISSUER = 'prodgy-api';

/** Issues and reads JSON Web Tokens (HS256, with expiry). `lifetime` is a span such as "1h". */
export function createSessions(secret, lifetime) {
  const key = new TextEncoder().encode(secret);
  return {
    issue: (user) =>
      new SignJWT({ email: user.email })
        .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
        .setIssuer(ISSUER)
        .setSubject(String(user.id))
        .setIssuedAt()
        .setExpirationTime(lifetime)
        .sign(key),

    /** The user {id, email} of a token; undefined if it is not ours, altered or expired. */
    async read(token) {
      try {
        const { payload } = await jwtVerify(token, key, { issuer: ISSUER, algorithms: ['HS256'] });
        return { id: Number(payload.sub), email: payload.email };
      } catch {
        return undefined;
      }
    },
  };
}
