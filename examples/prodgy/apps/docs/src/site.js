import { promises as fs } from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const TYPES = { '.html': 'text/html; charset=utf-8', '.json': 'application/json' };

async function version(root) {
  const built = JSON.parse(await fs.readFile(path.join(root, 'version.json'), 'utf8').catch(() => '{}'));
  return { service: 'docs', revision: process.env.PRODGY_REVISION || built.revision || 'unknown' };
}

async function answer(root, pathname) {
  const json = (status, value) => ({ status, type: TYPES['.json'], body: `${JSON.stringify(value)}\n` });
  if (pathname === '/health') return json(200, { status: 'ok', ...(await version(root)) });
  if (pathname === '/version.json') return json(200, await version(root));
  // Only names that build.js makes: a flat folder of .html files.
  const name = pathname === '/' ? 'index.html' : pathname.slice(1);
  const body = /^[\w-]+\.html$/.test(name) ? await fs.readFile(path.join(root, name)).catch(() => undefined) : undefined;
  return body ? { status: 200, type: TYPES['.html'], body } : json(404, { error: `no page ${pathname}` });
}

/** An http.Server for the site that build.js wrote to `root`. */
export function createSite(root) {
  return http.createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://docs');
    const { status, type, body } = await answer(root, pathname);
    response.writeHead(status, { 'content-type': type, 'cache-control': 'no-cache', 'content-length': Buffer.byteLength(body) });
    response.end(request.method === 'HEAD' ? undefined : body);
  });
}
