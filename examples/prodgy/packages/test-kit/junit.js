// A reporter for node --test. Node 18 has no JUnit reporter of its own.
import path from 'node:path';

const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;' };

const text = (value) => String(value).replace(FORBIDDEN, '\uFFFD').replace(/[&<>]/g, (c) => ENTITIES[c]);
const attribute = (value) => String(value).replace(FORBIDDEN, '\uFFFD').replace(/[&<>"\n]/g, (c) => ENTITIES[c]);

/**
 * Drops events that only sum up their subtests (suites and, in Node 18, whole files).
 *
 * A parent's event follows those of its children, one level up.
 */
export function leaves(events) {
  const kept = [];
  let children = []; // nesting of finished events that no parent has claimed yet
  for (const event of events) {
    const { nesting } = event.data;
    const own = children.filter((child) => child.nesting > nesting);
    children = children.filter((child) => child.nesting <= nesting);
    const failed = event.type === 'test:fail';
    children.push({ nesting, failed });
    const isSummary = own.length > 0 && (!failed || own.some((child) => child.failed));
    if (!isSummary) kept.push(event);
  }
  return kept;
}

const isSkipped = ({ data }) => data.skip !== undefined || data.todo !== undefined;

function testcase({ type, data }) {
  const suite = data.file ? path.basename(data.file, '.test.js') : 'tests';
  const seconds = ((data.details?.duration_ms ?? 0) / 1000).toFixed(3);
  const head = `<testcase classname="${attribute(suite)}" name="${attribute(data.name)}" time="${seconds}"`;
  if (isSkipped({ data })) return `${head}><skipped/></testcase>`;
  if (type === 'test:pass') return `${head}/>`;
  const error = data.details?.error;
  const cause = error?.cause ?? error;
  const message = cause?.message ?? cause ?? 'failed';
  return `${head}><failure message="${attribute(message)}">${text(cause?.stack ?? message)}</failure></testcase>`;
}

export default async function* junit(source) {
  const events = [];
  for await (const event of source) if (['test:pass', 'test:fail'].includes(event.type)) events.push(event);
  const kept = leaves(events);
  const skipped = kept.filter(isSkipped).length;
  const failures = kept.filter((event) => event.type === 'test:fail' && !isSkipped(event)).length;
  const counts = `tests="${kept.length}" failures="${failures}" errors="0" skipped="${skipped}"`;
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n<testsuite name="node" ${counts}>\n`;
  for (const event of kept) yield `${testcase(event)}\n`;
  yield '</testsuite>\n</testsuites>\n';
}
