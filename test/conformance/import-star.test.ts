/** The lines of Python's _TestImportStar and MiscTestCase.test__all__. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const { exports } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  exports: object;
};

for (const subpath of Object.keys(exports).filter((path) => !path.endsWith('.json'))) {
  const name = `multiprocess${subpath.slice(1)}`;
  it(`_TestImportStar.test_import: ${name} loads by itself, and every name it lists exists`, async () => {
    const code = `const names = await import(${JSON.stringify(name)});
      const missing = Object.keys(names).filter((name) => names[name] === undefined);
      console.log(JSON.stringify([Object.keys(names).length > 0, missing]));`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    let errors = '';
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    const code0 = await new Promise((resolve) => child.once('close', resolve));
    expect({ code: code0, errors }).toEqual({ code: 0, errors: '' });
    expect(JSON.parse(output)).toEqual([true, []]);
  });
}

it('MiscTestCase.test__all__: the exported names are those of the report of the public interface', async () => {
  const report = readFileSync(new URL('../../etc/api/index.api.md', import.meta.url), 'utf8');
  const values = /^export (?:abstract )?(?:class|const|function) (\w+)|^export { (?:\w+ as )?(\w+) }/gm;
  const names = new Set([...report.matchAll(values)].map(([, declared, named]) => declared ?? named!));
  // Classes that the root exports as types only.
  for (const type of ['SharedObject', 'SyncManager']) expect(names.delete(type)).toBe(true);
  expect(Object.keys(await import('multiprocess')).sort()).toEqual([...names].sort());
});
