// Serves the built site. It shares no code with the other services, so that no change of theirs rebuilds it.
import { fileURLToPath } from 'node:url';

import { createSite } from './site.js';

const root = process.env.SITE_DIR || fileURLToPath(new URL('../site', import.meta.url));
const server = createSite(root);
server.listen(Number(process.env.PORT || 8082), () => console.log(`docs on port ${server.address().port}`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
