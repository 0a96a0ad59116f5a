/** The sources as JavaScript files, for the processes of these tests: Node 20 runs no TypeScript, and dist/ may be older. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const out = join(root, '.build/test-functions');

/** Transpiles what src/closures needs and returns the URL of its index. */
export function compileLibrary(): string {
  for (const folder of ['errors', 'platform', 'util', 'native', 'memory', 'modules', 'codec', 'closures']) {
    for (const file of readdirSync(join(root, 'src', folder), { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.ts')) continue;
      const source = readFileSync(join(root, 'src', folder, file), 'utf8');
      const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
      const target = join(out, folder, file.replace(/\.ts$/, '.js'));
      mkdirSync(dirname(target), { recursive: true });
      // In one step: another file of tests may do the same, or read what is there.
      const written = `${target}.${process.pid}`;
      writeFileSync(written, ts.transpileModule(source, { compilerOptions: options }).outputText);
      renameSync(written, target);
    }
  }
  const description = join(out, 'package.json');
  writeFileSync(`${description}.${process.pid}`, '{"type":"module"}');
  renameSync(`${description}.${process.pid}`, description);
  return pathToFileURL(join(out, 'closures/index.js')).href;
}
