// A small JUnit reporter for flat tests: a test file's own event, which Node 18 adds, counts only when it failed
// although no test in it did.
const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\n': '&#10;' };
const escape = (value) => String(value).replace(/[^\t\n\r -\uFFFD]/g, '?').replace(/[&<>"\n]/g, (c) => ENTITIES[c]);

function testcase({ type, data }) {
  const head = `<testcase classname="docs" name="${escape(data.name)}" time="${(data.details.duration_ms / 1000).toFixed(3)}"`;
  if (type === 'test:pass') return `${head}/>`;
  const error = data.details.error?.cause ?? data.details.error;
  return `${head}><failure message="${escape(error?.message ?? error)}">${escape(error?.stack ?? error)}</failure></testcase>`;
}

export default async function* junit(source) {
  const events = [];
  for await (const event of source) if (['test:pass', 'test:fail'].includes(event.type)) events.push(event);
  const deepest = Math.max(0, ...events.map(({ data }) => data.nesting));
  const tests = events.filter(({ data }) => data.nesting === deepest);
  const anyFailed = tests.some(({ type }) => type === 'test:fail');
  const outer = events.filter(({ type, data }) => type === 'test:fail' && data.nesting < deepest);
  const kept = anyFailed ? tests : [...tests, ...outer];
  const failures = kept.filter(({ type }) => type === 'test:fail').length;
  const counts = `tests="${kept.length}" failures="${failures}" errors="0" skipped="0"`;
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites ${counts}>\n<testsuite name="docs" ${counts}>\n`;
  for (const event of kept) yield `${testcase(event)}\n`;
  yield '</testsuite>\n</testsuites>\n';
}
