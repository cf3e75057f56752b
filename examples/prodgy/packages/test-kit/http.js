import { setTimeout as sleep } from 'node:timers/promises';

/** Starts an http.Server on a free port for the length of a test; returns its address. */
export async function serve(t, server) {
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

/** Sends JSON; returns {status, headers, body}, the body parsed where it is JSON. */
export async function send(method, url, { body, token, headers = {} } = {}) {
  const all = { ...headers };
  if (token) all.authorization = `Bearer ${token}`;
  if (body !== undefined) all['content-type'] = 'application/json';
  const options = { method, headers: all, body: body === undefined ? undefined : JSON.stringify(body) };
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(20_000) });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json');
  return { status: response.status, headers: response.headers, body: isJson && text ? JSON.parse(text) : text };
}

/** Asks `probe` until it returns something true; throws with `what` after `seconds`. */
export async function until(what, probe, seconds = 30) {
  const end = Date.now() + seconds * 1000;
  let last;
  while (Date.now() < end) {
    try {
      last = await probe();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`not within ${seconds} s: ${what} (last: ${last?.message ?? JSON.stringify(last)})`);
}

/** The address of the running service under test, once it says that it is well. */
export async function serviceUrl(port) {
  const url = (process.env.SERVICE_URL || `http://127.0.0.1:${port}`).replace(/\/$/, '');
  await until(`${url}/health is ok`, async () => (await send('GET', `${url}/health`)).status === 200, 60);
  return url;
}
