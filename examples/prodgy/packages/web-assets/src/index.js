export { buildSite } from './build.js';
export { startSite } from './site.js';
