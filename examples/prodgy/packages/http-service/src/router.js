/** Turns {'GET /agents/:id': handler} into a function from method and path to {handler, params} or undefined. */
export function createRouter(routes) {
  const table = Object.entries(routes).map(([key, handler]) => {
    const [method, path] = key.split(' ');
    return { method, parts: path.split('/'), handler };
  });
  return (method, path) => {
    for (const route of table) {
      const params = route.method === method ? match(route.parts, path.split('/')) : undefined;
      if (params) return { handler: route.handler, params };
    }
    return undefined;
  };
}

function match(pattern, parts) {
  if (pattern.length !== parts.length) return undefined;
  const params = {};
  for (const [index, part] of pattern.entries()) {
    if (part.startsWith(':')) params[part.slice(1)] = parts[index];
    else if (part !== parts[index]) return undefined;
  }
  return params;
}
