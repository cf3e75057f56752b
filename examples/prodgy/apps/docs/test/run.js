// Usage: node test/run.js unit|integration. JUnit XML goes to $REPORTS_DIR/<kind>.xml (default /reports).
// A runner of its own, because the documentation shares nothing with the packages of the other services.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';

const kind = process.argv[2];
const folder = path.join('test', kind);
const files = readdirSync(folder).filter((name) => name.endsWith('.test.js')).map((name) => path.join(folder, name));
if (files.length === 0) {
  console.error(`no tests in ${path.resolve(folder)}`);
  process.exit(1);
}
const reports = process.env.REPORTS_DIR || '/reports';
mkdirSync(reports, { recursive: true });
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('junit.js', import.meta.url)}`,
    `--test-reporter-destination=${path.join(reports, `${kind}.xml`)}`,
    ...files,
  ],
  { stdio: 'inherit', env: { ...process.env, NODE_NO_WARNINGS: '1' } },
);
process.exit(status ?? 1);
