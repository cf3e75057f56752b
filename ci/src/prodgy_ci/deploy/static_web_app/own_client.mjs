// Usage: node own_client.mjs CLIENT PROGRAM [ARGUMENT...]: runs the Static Web Apps CLI with an upload client of one's
// own. The CLI asks aka.ms for the client's address and SHA-256 each time, and has no option for a client that is
// there; it does heed HTTP_PROXY, and sends such a proxy the whole request in the clear. So this is that proxy.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { constants } from 'node:os';
import { resolve } from 'node:path';

const [client, program, ...options] = process.argv.slice(2);
const quoted = `'${resolve(client).replaceAll("'", "'\\''")}'`;
const start = `#!/bin/sh\nunset HTTP_PROXY\nexec ${quoted} "$@"\n`;
const file = { url: 'http://client.invalid/StaticSitesClient', sha: createHash('sha256').update(start).digest('hex') };
const version = process.env.SWA_CLI_DEPLOY_BINARY_VERSION || 'stable';
const files = { 'linux-x64': file, 'osx-x64': file, 'win-x64': file };

const server = createServer((request, response) => {
  const host = new URL(request.url, 'http://unknown.invalid').hostname;
  if (host === 'aka.ms') response.end(JSON.stringify([{ version, buildId: 'own', files }]));
  else if (host === 'client.invalid') response.end(start);
  else response.writeHead(502).end();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const { HTTPS_PROXY, ...environment } = process.env;
const cli = spawn(program, options, {
  env: { ...environment, HTTP_PROXY: `http://127.0.0.1:${server.address().port}` },
  stdio: 'inherit',
});
const signals = ['SIGINT', 'SIGTERM'];
for (const signal of signals) process.on(signal, () => cli.kill(signal));
const [code, signal] = await once(cli, 'exit');
process.exit(code ?? 128 + constants.signals[signal]);
