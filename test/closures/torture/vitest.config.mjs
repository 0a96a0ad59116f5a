import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export default defineConfig({
  root,
  cacheDir: `${root}.build/torture/vite`,
  test: {
    include: ['test/closures/torture/cases.vitest.mjs'],
    // The library as a user's tests see it: not transformed.
    server: { deps: { external: [/\/dist\//] } },
  },
});
