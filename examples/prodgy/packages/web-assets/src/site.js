import { createReadStream, promises as fs } from 'node:fs';
import path from 'node:path';

import { HttpError, dependencyHealth, forward, reply, revision, startService } from '@prodgy/http-service';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
};

/** The file of `root` that a URL's path asks for; undefined if there is none or it lies outside. */
export async function locate(root, pathname) {
  let name;
  try {
    name = decodeURIComponent(pathname);
  } catch {
    return undefined;
  }
  if (name.includes('\0')) return undefined;
  const file = path.join(root, name.endsWith('/') ? `${name}index.html` : name);
  if (!file.startsWith(root + path.sep)) return undefined;
  const found = await fs.stat(file).catch(() => undefined);
  return found?.isFile() ? file : undefined;
}

/** What /version.json says: a container knows its revision from the environment, a static site from its build. */
async function version(name, root) {
  if (process.env.PRODGY_REVISION) return { service: name, revision: revision() };
  const built = await fs.readFile(path.join(root, 'version.json'), 'utf8').catch(() => '{}');
  return { service: name, revision: revision(), ...JSON.parse(built) };
}

/** The raw handler of a site: files of `root`, and /gateway/… sent on to the gateway. */
export function createSiteHandler({ root, gatewayUrl }) {
  return async (request, response, url) => {
    if (url.pathname.startsWith('/gateway/'))
      return forward(request, response, gatewayUrl.replace(/\/$/, '') + url.pathname.slice('/gateway'.length) + url.search);
    const file = ['GET', 'HEAD'].includes(request.method) ? await locate(root, url.pathname) : undefined;
    if (!file) throw new HttpError(404, `no page ${url.pathname}`);
    response.writeHead(200, {
      'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
      'x-content-type-options': 'nosniff',
    });
    if (request.method === 'HEAD') return response.end();
    return createReadStream(file).on('error', () => response.destroy()).pipe(response);
  };
}

/** Serves a built site (see buildSite) on `port`. */
export function startSite({ name, port, root, gatewayUrl = process.env.GATEWAY_URL || 'http://gateway:3004' }) {
  const folder = path.resolve(root);
  const noStore = { 'cache-control': 'no-store' };
  return startService({
    name,
    port,
    // A page is worth serving while the gateway is away: /health does not ask for it, /ready does.
    routes: {
      'GET /version.json': async () => reply(200, await version(name, folder), noStore),
      'GET /ready': async () => ({ gateway: await dependencyHealth(gatewayUrl)().then(() => 'ok') }),
    },
    fallback: createSiteHandler({ root: folder, gatewayUrl }),
  });
}
