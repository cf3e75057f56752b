import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { createService } from '@prodgy/http-service';
import { send, serve } from '@prodgy/test-kit';

import { createSiteHandler, locate } from '../../src/site.js';

function folder(t) {
  const parent = mkdtempSync(path.join(os.tmpdir(), 'site-'));
  t.after(() => rmSync(parent, { recursive: true }));
  const root = path.join(parent, 'site');
  mkdirSync(path.join(root, 'assets'), { recursive: true });
  writeFileSync(path.join(root, 'index.html'), '<p>hello</p>');
  writeFileSync(path.join(root, 'assets', 'style.css'), 'p {}');
  writeFileSync(path.join(parent, 'site-secret'), 'secret');
  return root;
}

for (const [asked, found] of [
  ['/', 'index.html'],
  ['/assets/style.css', 'assets/style.css'],
  ['/assets', undefined],
  ['/../site-secret', undefined],
  ['/%2e%2e/site-secret', undefined],
  ['/%zz', undefined],
  ['/a%00b', undefined],
]) {
  test(`${asked} is ${found ?? 'no page'}`, async (t) => {
    const root = folder(t);
    assert.equal(await locate(root, asked), found && path.join(root, found));
  });
}

test('a page has its type, /gateway/ is sent on without its prefix', async (t) => {
  const log = { info() {}, warn() {}, error() {} };
  const gateway = createService({ name: 'gateway', log, routes: { 'GET /api/me': () => ({ at: 'gateway' }) } });
  const gatewayUrl = await serve(t, gateway);
  const site = createService({ name: 'web', log, fallback: createSiteHandler({ root: folder(t), gatewayUrl }) });
  const url = await serve(t, site);
  const page = await send('GET', `${url}/`);
  assert.deepEqual([page.status, page.body], [200, '<p>hello</p>']);
  assert.match(page.headers.get('content-type'), /text\/html/);
  assert.deepEqual((await send('GET', `${url}/gateway/api/me`)).body, { at: 'gateway' });
});
