import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';

import { build } from '../../src/build.js';
import { createSite } from '../../src/site.js';

// The revision of the machine that runs the tests is not that of the site.
delete process.env.PRODGY_REVISION;

function built(t, revision) {
  const output = mkdtempSync(path.join(os.tmpdir(), 'docs-'));
  t.after(() => rmSync(output, { recursive: true }));
  build({ content: 'content', output, revision });
  return output;
}

async function serve(t, root) {
  const server = createSite(root);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${server.address().port}`;
}

test('each Markdown file becomes a page, and the version is written', (t) => {
  const output = built(t, 'abc123');
  assert.deepEqual(readdirSync(output).sort(), ['gateway.html', 'index.html', 'version.json']);
  assert.deepEqual(JSON.parse(readFileSync(path.join(output, 'version.json'))), { service: 'docs', revision: 'abc123' });
});

test('no page has a link to a page that is not there', (t) => {
  const output = built(t);
  const pages = readdirSync(output);
  for (const page of pages.filter((name) => name.endsWith('.html'))) {
    const html = readFileSync(path.join(output, page), 'utf8');
    for (const [, target] of html.matchAll(/href="\/?([\w-]+\.html)/g)) assert.ok(pages.includes(target), `${page}: ${target}`);
  }
});

test('a folder without an index is refused', (t) => {
  const output = built(t);
  assert.throws(() => build({ content: 'src', output }), /has no index\.md/);
});

test('the server gives pages, health and version, and nothing outside of the site', async (t) => {
  const url = await serve(t, built(t, 'abc123'));
  assert.match(await (await fetch(`${url}/`)).text(), /<h1 id="prodgy">/);
  assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: 'ok', service: 'docs', revision: 'abc123' });
  assert.deepEqual(await (await fetch(`${url}/version.json`)).json(), { service: 'docs', revision: 'abc123' });
  for (const name of ['/nothing.html', '/..%2fpackage.json', '/gateway']) assert.equal((await fetch(url + name)).status, 404);
});

for (const file of ['build', 'main', 'markdown', 'site']) {
  test(`lint: src/${file}.js is valid JavaScript`, () => {
    const { status, stderr } = spawnSync(process.execPath, ['--check', `src/${file}.js`], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}
