// Usage: node src/build.js [folder]: writes the static site there (default: site). PRODGY_REVISION and
// PUBLIC_GATEWAY_URL become part of it.
import { fileURLToPath } from 'node:url';

import { buildSite } from '@prodgy/web-assets';

buildSite({
  name: 'studio',
  pages: fileURLToPath(new URL('../pages', import.meta.url)),
  output: process.argv[2] ?? fileURLToPath(new URL('../site', import.meta.url)),
  revision: process.env.PRODGY_REVISION || undefined,
  gateway: process.env.PUBLIC_GATEWAY_URL || undefined,
});
