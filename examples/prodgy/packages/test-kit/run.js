// Usage: node run.js unit|integration, in a package's folder.
// Runs test/<kind>/*.test.js, shows the outcome and writes JUnit XML to $REPORTS_DIR/<kind>.xml (default /reports).
// `unit` also checks the syntax of every source file and runs the unit tests of the workspace's packages that this one
// uses, which no other image tests. Exits with 1 when a test fails or none is there.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const kind = process.argv[2];
if (!['unit', 'integration'].includes(kind)) {
  console.error('usage: run.js unit|integration');
  process.exit(2);
}
const entries = (folder) => (existsSync(folder) ? readdirSync(folder).sort().map((name) => path.join(folder, name)) : []);
const testsOf = (folder) => entries(path.join(folder, 'test', kind)).filter((name) => name.endsWith('.test.js'));
const files = testsOf('.');
if (files.length === 0) {
  console.error(`no tests in ${path.resolve('test', kind)}`);
  process.exit(1);
}
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const reports = process.env.REPORTS_DIR || '/reports';
mkdirSync(reports, { recursive: true });
const shared = kind === 'unit' ? [here('lint.test.js'), ...entries('node_modules/@prodgy').flatMap(testsOf)] : [];
const { status } = spawnSync(
  process.execPath,
  [
    '--test',
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${new URL('junit.js', import.meta.url)}`,
    `--test-reporter-destination=${path.join(reports, `${kind}.xml`)}`,
    ...shared,
    ...files,
  ],
  { stdio: 'inherit', env: { ...process.env, NODE_NO_WARNINGS: '1' } },
);
process.exit(status ?? 1);
