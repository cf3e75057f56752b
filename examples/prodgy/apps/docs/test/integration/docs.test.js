import assert from 'node:assert/strict';
import { test } from 'node:test';

const url = (process.env.SERVICE_URL || 'http://docs:8082').replace(/\/$/, '');
const get = (path) => fetch(url + path, { signal: AbortSignal.timeout(10_000) });

test('the pages are served', async () => {
  for (const path of ['/', '/index.html', '/gateway.html']) {
    const response = await get(path);
    assert.equal(response.status, 200);
    assert.match(await response.text(), /<h1 /);
  }
});

test('health and version.json tell the same revision', async () => {
  const [health, version] = [await (await get('/health')).json(), await (await get('/version.json')).json()];
  assert.equal(health.status, 'ok');
  assert.equal(version.revision, health.revision);
});
