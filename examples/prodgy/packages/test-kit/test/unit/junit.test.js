import assert from 'node:assert/strict';
import { test } from 'node:test';

import junit, { leaves } from '../../junit.js';

const event = (type, name, nesting, more = {}) => ({ type: `test:${type}`, data: { name, nesting, ...more } });
const names = (events) => leaves(events).map(({ data }) => data.name);

test('a parent is no test of its own', () => {
  assert.deepEqual(names([event('pass', 'one', 1), event('pass', 'two', 1), event('pass', 'file', 0)]), ['one', 'two']);
});

test('a parent that failed for its child is not counted twice', () => {
  assert.deepEqual(names([event('fail', 'one', 1), event('fail', 'file', 0)]), ['one']);
});

test('a parent that failed although its children passed is a failure', () => {
  assert.deepEqual(names([event('pass', 'one', 1), event('fail', 'file', 0)]), ['one', 'file']);
});

test('siblings after a parent do not belong to it', () => {
  assert.deepEqual(names([event('pass', 'one', 1), event('pass', 'file', 0), event('pass', 'alone', 0)]), ['one', 'alone']);
});

test('the report counts and escapes', async () => {
  const error = Object.assign(new Error('failed'), { cause: new Error('<a> & "b"\u0000') });
  const events = [event('pass', 'good', 0), event('fail', 'bad', 0, { details: { duration_ms: 1500, error } })];
  let report = '';
  for await (const part of junit(events)) report += part;
  assert.match(report, /tests="2" failures="1" errors="0" skipped="0"/);
  assert.match(report, /name="bad" time="1.500"><failure message="&lt;a&gt; &amp; &quot;b&quot;\uFFFD">/);
});
