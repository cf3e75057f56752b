import { fileURLToPath } from 'node:url';

import { startSite } from '@prodgy/web-assets';

const root = process.env.SITE_DIR || fileURLToPath(new URL('../site', import.meta.url));

startSite({ name: 'web', port: Number(process.env.PORT || 3000), root });
