/**
 * Writes V8's code cache of the bundles that children load, for the Node that runs this: part of the installation of the package. What
 * is compiled by then is in it, so a function is sent and received first. Without the cache everything works, a little slower.
 */
import { existsSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'bundle');
if (existsSync(folder)) {
  const { evaluated, compile, run, load, cacheOf } = createRequire(import.meta.url)(join(folder, 'load.cjs'));
  const scripts = ['child', 'receiving', 'library', 'managers'].map((name) => {
    const file = join(folder, `${name}.cjs`);
    const script = compile(file);
    evaluated.set(name, run(script));
    return { file, script };
  });
  try {
    load('receiving')['pool/worker/worker-loop']();
    load('library').index();
    const { dumps } = load('library')['reduction/dumps']();
    const { Decoder } = load('receiving')['reduction/receiving']();
    const factor = 2;
    const bytes = dumps([(x) => x * factor, [1]]);
    new Decoder().decode(bytes, 0, bytes.length, true);
  } catch {
    // Not here, where no addon can be loaded: less is compiled.
  }
  try {
    for (const { file, script } of scripts) {
      const cache = cacheOf(file);
      writeFileSync(`${cache}.new`, script.createCachedData());
      renameSync(`${cache}.new`, cache);
    }
  } catch (error) {
    console.warn(`multiprocess: no code cache could be written (${error.message}); children start without.`);
  }
}
