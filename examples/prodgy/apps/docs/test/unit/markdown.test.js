import assert from 'node:assert/strict';
import { test } from 'node:test';

import { title, toHtml } from '../../src/markdown.js';

for (const [what, markdown, html] of [
  ['a heading gets an id', '## The gateway!', '<h2 id="the-gateway">The gateway!</h2>'],
  ['lines of a paragraph are joined', 'one\ntwo\n\nthree', '<p>one two</p>\n<p>three</p>'],
  ['a list', '- one\n- two', '<ul>\n<li>one</li>\n<li>two</li>\n</ul>'],
  ['a numbered list', '1. one\n2. two', '<ol>\n<li>one</li>\n<li>two</li>\n</ol>'],
  ['inline marks', '**b** *i* `a*b*<c>`', '<p><strong>b</strong> <em>i</em> <code>a*b*&lt;c&gt;</code></p>'],
  ['a fenced block is left alone', '```\n# a < b\n\n- c\n```', '<pre><code># a &lt; b\n\n- c</code></pre>'],
  ['a table', '| a | b |\n|---|---|\n| 1 | 2 |', '<table>\n<tr><th>a</th><th>b</th></tr>\n<tr><td>1</td><td>2</td></tr>\n</table>'],
  ['a link to a page', '[x](gateway.md#a)', '<p><a href="gateway.html#a">x</a></p>'],
  ['a dangerous link is only its text', '[x](javascript:alert(1))', '<p>x)</p>'],
  ['HTML is text', '<script>', '<p>&lt;script&gt;</p>'],
  ['a pipe in a sentence is no table', 'a | b', '<p>a | b</p>'],
  ['an unclosed block ends with the file', '```\na', '<pre><code>a</code></pre>'],
]) {
  test(what, () => assert.equal(toHtml(markdown), html));
}

test('the title is the first heading', () => assert.equal(title('text\n# One\n# Two'), 'One'));
