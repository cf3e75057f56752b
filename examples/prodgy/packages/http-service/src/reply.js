class Reply {
  constructor(status, body, headers) {
    Object.assign(this, { status, body, headers });
  }
}

/** What a handler returns when 200 is not the status it wants. */
export const reply = (status, body, headers = {}) => new Reply(status, body, headers);

/** Writes what a handler returned; `undefined` is an empty 204. */
export function send(response, result) {
  const { status, body, headers } = result instanceof Reply ? result : reply(result === undefined ? 204 : 200, result);
  const text = body === undefined ? '' : JSON.stringify(body);
  const type = text ? { 'content-type': 'application/json; charset=utf-8' } : {};
  response.writeHead(status, { ...type, 'content-length': Buffer.byteLength(text), ...headers });
  response.end(text);
}
