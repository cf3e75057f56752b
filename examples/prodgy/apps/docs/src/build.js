// Usage: node src/build.js [folder]: turns content/*.md into a static site there (default: site).
// PRODGY_REVISION becomes part of version.json.
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { escape, title, toHtml } from './markdown.js';

const STYLE =
  'body{max-width:44rem;margin:2rem auto;padding:0 1rem;font:1rem/1.6 system-ui,sans-serif}' +
  'td,th{padding:.2rem 1rem;text-align:left}pre{overflow:auto}';

const page = (heading, navigation, content) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escape(heading)}</title>
<style>${STYLE}</style>
</head>
<body>
<nav>${navigation}</nav>
<main>
${content}
</main>
</body>
</html>
`;

/** Writes the site of all Markdown files in `content` to `output`; returns the names of its pages. */
export function build({ content, output, revision = 'unknown' }) {
  const sources = readdirSync(content).filter((name) => name.endsWith('.md')).sort();
  if (!sources.includes('index.md')) throw new Error(`${content} has no index.md`);
  const pages = sources.map((name) => {
    const markdown = readFileSync(path.join(content, name), 'utf8');
    return { file: name.replace(/\.md$/, '.html'), markdown, heading: title(markdown) ?? name };
  });
  const navigation = pages.map(({ file, heading }) => `<a href="/${file}">${escape(heading)}</a>`).join(' · ');
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  for (const { file, markdown, heading } of pages) {
    writeFileSync(path.join(output, file), page(heading, navigation, toHtml(markdown)));
  }
  writeFileSync(path.join(output, 'version.json'), `${JSON.stringify({ service: 'docs', revision })}\n`);
  return pages.map(({ file }) => file);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const here = (name) => fileURLToPath(new URL(name, import.meta.url));
  const output = process.argv[2] ?? here('../site');
  const pages = build({ content: here('../content'), output, revision: process.env.PRODGY_REVISION || undefined });
  console.log(`${pages.length} pages in ${output}`);
}
