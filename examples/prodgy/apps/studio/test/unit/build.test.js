import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

function build(t, env = {}) {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'site-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const { status, stderr } = spawnSync(process.execPath, ['src/build.js', folder], {
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return { files: readdirSync(folder).sort(), json: (name) => JSON.parse(readFileSync(path.join(folder, name), 'utf8')) };
}

test('the site holds the page, the shared assets, the configuration and the version', (t) => {
  assert.deepEqual(build(t).files, ['assets', 'config.json', 'index.html', 'studio.js', 'version.json'].sort());
});

test('the revision and the public address of the gateway are built in', (t) => {
  const { json } = build(t, { PRODGY_REVISION: 'abc123', PUBLIC_GATEWAY_URL: 'https://gateway.example.com' });
  assert.deepEqual(json('version.json'), { service: 'studio', revision: 'abc123' });
  assert.deepEqual(json('config.json'), { gateway: 'https://gateway.example.com' });
});

test('every script and stylesheet that the page names is in the site', (t) => {
  const page = readFileSync('pages/index.html', 'utf8');
  const { files } = build(t);
  const names = [...page.matchAll(/(?:src|href)="\/([^"/]+)/g)].map(([, name]) => name);
  assert.ok(names.length > 0);
  for (const name of names) assert.ok(files.includes(name), name);
});
