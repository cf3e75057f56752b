// The part of Markdown that these pages use: headings, paragraphs, lists, fenced code, tables and inline marks.

const ENTITIES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escape = (text) => text.replace(/[&<>"]/g, (character) => ENTITIES[character]);

const SAFE_LINK = /^(?:https?:\/\/|mailto:|#|\/|\.{1,2}\/|[\w-]+\.(?:md|html)\b)/;

function link(label, target) {
  if (!SAFE_LINK.test(target)) return label;
  return `<a href="${target.replace(/\.md(?=#|$)/, '.html')}">${label}</a>`;
}

function inline(text) {
  // Code comes first and whole: no mark counts inside of it.
  return text
    .split(/(`[^`]+`)/)
    .map((part) => {
      if (/^`[^`]+`$/.test(part)) return `<code>${escape(part.slice(1, -1))}</code>`;
      return escape(part)
        .replace(/\[([^\]]+)\]\(([^)\s]+)\)/g, (_, label, target) => link(label, target))
        .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
        .replace(/\*([^*]+)\*/g, '<em>$1</em>');
    })
    .join('');
}

const slug = (text) => text.toLowerCase().replace(/[^\w]+/g, '-').replace(/^-|-$/g, '');

function row(line, tag) {
  const cells = line.trim().replace(/^\||\|$/g, '').split('|');
  return `<tr>${cells.map((cell) => `<${tag}>${inline(cell.trim())}</${tag}>`).join('')}</tr>`;
}

const list = (tag, lines, mark) =>
  `<${tag}>\n${lines.map((line) => `<li>${inline(line.replace(mark, ''))}</li>`).join('\n')}\n</${tag}>`;

const table = (head, rest) => `<table>\n${[row(head, 'th'), ...rest.map((line) => row(line, 'td'))].join('\n')}\n</table>`;

/** How each kind of block begins, and what it becomes. */
const BLOCKS = [
  [/^#{1,6} /, ([line]) => heading(line)],
  [/^\|.*\|\s*$/, ([head, , ...rest]) => table(head, rest)],
  [/^[-*] /, (lines) => list('ul', lines, /^[-*] /)],
  [/^\d+\. /, (lines) => list('ol', lines, /^\d+\. /)],
];

function heading(line) {
  const [, marks, text] = /^(#+) (.*)$/.exec(line);
  return `<h${marks.length} id="${slug(text)}">${inline(text)}</h${marks.length}>`;
}

/** Converts Markdown to an HTML fragment. */
export function toHtml(markdown) {
  const lines = markdown.replace(/\r\n/g, '\n').split('\n');
  const html = [];
  const takeWhile = (test) => {
    const taken = [];
    while (lines.length > 0 && test(lines[0])) taken.push(lines.shift());
    return taken;
  };
  while (lines.length > 0) {
    const line = lines[0];
    const block = BLOCKS.find(([start]) => start.test(line));
    if (line.trim() === '') lines.shift();
    else if (line.startsWith('```')) {
      lines.shift();
      html.push(`<pre><code>${escape(takeWhile((next) => !next.startsWith('```')).join('\n'))}</code></pre>`);
      lines.shift();
    } else if (line.startsWith('#') && block) html.push(heading(lines.shift()));
    else if (block) html.push(block[1](takeWhile((next) => block[0].test(next))));
    else html.push(`<p>${inline([lines.shift(), ...takeWhile(isText)].join(' '))}</p>`);
  }
  return html.join('\n');
}

const isText = (line) => line.trim() !== '' && !line.startsWith('```') && !BLOCKS.some(([start]) => start.test(line));

/** The text of the first heading; undefined if there is none. */
export const title = (markdown) => /^# (.+)$/m.exec(markdown)?.[1];
