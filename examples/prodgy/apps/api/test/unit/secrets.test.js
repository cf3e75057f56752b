import assert from 'node:assert/strict';
import { test } from 'node:test';

import { hashApiToken, hashPassword, isApiToken, newApiToken, passwordMatches } from '../../src/secrets.js';

test('a password matches its own hash only', async () => {
  const stored = await hashPassword('correct horse');
  assert.equal(await passwordMatches('correct horse', stored), true);
  assert.equal(await passwordMatches('wrong horse', stored), false);
});

test('equal passwords have different hashes', async () => {
  assert.notEqual(await hashPassword('same'), await hashPassword('same'));
});

test('API tokens differ, are recognised and hash to a fixed value', () => {
  const [one, two] = [newApiToken(), newApiToken()];
  assert.notEqual(one, two);
  assert.ok(isApiToken(one) && !isApiToken('ey.some.jwt'));
  assert.equal(hashApiToken(one), hashApiToken(one));
});
