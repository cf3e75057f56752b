import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory() && !['node_modules', 'site'].includes(entry.name)) yield* sources(name);
    else if (entry.isFile() && name.endsWith('.js')) yield name;
  }
}

for (const file of sources('.')) {
  test(`lint: ${file} is valid JavaScript`, () => {
    const { status, stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
}
