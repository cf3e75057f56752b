import { fileURLToPath } from 'node:url';

import { startSite } from '@prodgy/web-assets';

const root = process.env.SITE_DIR || fileURLToPath(new URL('../site', import.meta.url));

startSite({ name: 'studio', port: Number(process.env.PORT || 3003), root });
