import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const ASSETS = fileURLToPath(new URL('../assets', import.meta.url));

/**
 * Writes a static site to `output`: the service's pages, the shared assets, config.json and version.json.
 *
 * `gateway` is the address that the pages call: the default is the path that the container forwards; a site without
 * a server of ours needs the gateway's public address.
 */
export function buildSite({ name, pages, output, revision = 'unknown', gateway = '/gateway' }) {
  rmSync(output, { recursive: true, force: true });
  mkdirSync(output, { recursive: true });
  cpSync(pages, output, { recursive: true });
  cpSync(ASSETS, path.join(output, 'assets'), { recursive: true });
  const write = (file, value) => writeFileSync(path.join(output, file), `${JSON.stringify(value)}\n`);
  write('config.json', { gateway });
  write('version.json', { service: name, revision });
}
