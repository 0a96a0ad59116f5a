/**
 * Writes V8's code cache of the chunks, for the Node that runs this: part of the installation of the package. What is compiled by then is in
 * it, so a function is sent and received first. Without the cache everything works, a little slower.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const loader = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'load.cjs');
if (existsSync(loader)) {
  const load = createRequire(import.meta.url)(loader);
  const scripts = new Map();
  load.compiled = (script, cache) => scripts.set(cache, script);
  try {
    const { dumps } = load.open('reduction/index');
    const { Decoder } = load.open('reduction/receiving');
    load.open('index');
    load.open('managers/index');
    const factor = 2;
    const bytes = dumps([(x) => x * factor, [1]]);
    new Decoder().decode(bytes, 0, bytes.length, true);
  } catch {
    // Not here, where no addon can be loaded: less is compiled.
  }
  try {
    for (const [cache, script] of scripts) {
      writeFileSync(`${cache}.new`, script.createCachedData());
      renameSync(`${cache}.new`, cache);
    }
  } catch (error) {
    console.warn(`multiprocess: no code cache could be written (${error.message}); children start without.`);
  }
}
