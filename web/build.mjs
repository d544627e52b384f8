// Builds both user interfaces: dist/web/gateway and dist/web/hub.
import { fileURLToPath } from 'node:url';

import { build } from 'vite';

const configFile = fileURLToPath(new URL('vite.config.ts', import.meta.url));
for (const mode of ['gateway', 'hub']) await build({ configFile, mode, logLevel: 'warn' });
