import assert from 'node:assert/strict';
import { test } from 'node:test';

import { send, serviceUrl, until } from '@prodgy/test-kit';

const url = await serviceUrl(3000);

test('health and version.json tell the same revision', async () => {
  const health = await send('GET', `${url}/health`);
  const version = await send('GET', `${url}/version.json`);
  assert.equal(health.body.service, 'web');
  assert.equal(version.body.service, 'web');
  if (health.body.revision !== 'unknown') assert.equal(version.body.revision, health.body.revision);
});

test('the page is served', async () => {
  const { status, headers, body } = await send('GET', `${url}/`);
  assert.equal(status, 200);
  assert.match(headers.get('content-type'), /text\/html/);
  assert.match(body, /<form id="login">/);
});

test('a page that is not there is a 404', async () => {
  assert.equal((await send('GET', `${url}/nothing.html`)).status, 404);
});

test('calls to /gateway reach the gateway', async () => {
  // All behind it has just been started, and on a busy machine its first health may come late.
  const well = await until('the gateway is well', async () => {
    const { status, body } = await send('GET', `${url}/gateway/health`);
    return status === 200 && body;
  });
  assert.equal(well.service, 'gateway');
});
