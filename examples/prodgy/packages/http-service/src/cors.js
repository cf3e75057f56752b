/**
 * The CORS headers for a request's Origin: none unless that very origin is listed.
 *
 * @param {string} origins  comma-separated origins, e.g. "http://localhost:3000,https://app.example.com"
 */
export function allowOrigins(origins = '') {
  const allowed = new Set(origins.split(',').map((origin) => origin.trim()).filter(Boolean));
  return (origin) =>
    allowed.has(origin)
      ? {
          'access-control-allow-origin': origin,
          'access-control-allow-methods': 'GET, POST, DELETE',
          'access-control-allow-headers': 'authorization, content-type',
          'access-control-max-age': '600',
        }
      : {};
}
