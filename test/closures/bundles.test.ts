/** Packages in a bundle go by value, with all of their functions that a closure reaches. */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';

const run = promisify(execFile);
const esbuild = fileURLToPath(new URL('../../node_modules/.bin/esbuild', import.meta.url));
const out = fileURLToPath(new URL('../../.build/bundles/', import.meta.url));

/** Runs a program whose packages are bundled in, but for `multiprocess`, and returns what it prints. */
async function output(name: string, program: string, minify: boolean): Promise<string> {
  mkdirSync(out, { recursive: true });
  const source = `${out}${name}.source.mjs`;
  const outfile = `${out}${name}${minify ? '.min' : ''}.mjs`;
  writeFileSync(source, program);
  // Its API leaves a process behind.
  const options = [
    '--bundle',
    '--platform=node',
    '--format=esm',
    '--external:multiprocess',
    '--log-level=error',
    `--minify=${String(minify)}`,
  ];
  execFileSync(esbuild, [source, ...options, `--outfile=${outfile}`]);
  return (await run(process.execPath, [outfile], { timeout: 100_000, killSignal: 'SIGKILL' })).stdout;
}

const wrapped = (body: string): string => `
import { Pool } from 'multiprocess';
const pool = new Pool({ processes: 1 });
${body}
await pool.terminate();
`;

describe.each([false, true])('In a bundle, minified: %s', (minify) => {
  test('rxjs, whose classes were compiled to functions, works in a worker', async () => {
    const program = `import { firstValueFrom, map, of } from 'rxjs';
      ${wrapped('console.log(await pool.apply(() => firstValueFrom(of(3).pipe(map((x) => x * 2)))));')}`;
    expect(await output('rxjs', program, minify)).toBe('6\n');
  });

  test('constructor functions whose methods make instances of their subclasses', async () => {
    const program = `
      function Base() { this.kind = 'base'; }
      function Sub() { Base.call(this); this.kind = 'sub'; }
      Sub.prototype = Object.create(Base.prototype, { constructor: { value: Sub } });
      Base.prototype.child = function () { return new Sub(); };
      Base.prototype.name = function () { return this.kind; };
      ${wrapped('console.log(await pool.apply(() => [new Base().child().name(), new Base().child() instanceof Base, new Sub().child() instanceof Sub].join()));')}`;
    expect(await output('constructors', program, minify)).toBe('sub,true,true\n');
  });

  test('a table of members for other objects, whose getters cannot read the table itself', async () => {
    const program = `
      const members = { get total() { return this.items.count; }, twice() { return 2 * this.total; } };
      ${wrapped('console.log(await pool.apply(() => Object.create(members, { items: { value: { count: 3 } } }).twice()));')}`;
    expect(await output('members', program, minify)).toBe('6\n');
  });
});

/** Functions that stand in one scope and reach each other, as those of a package do. */
const tangle = (count: number, padding: string): string => `const own = (() => {
  ${Array.from({ length: count }, (_, i) => `function f${i}(n) { return n < 1 ? ${i} : f${(i * 7 + 1) % count}(n - 1) + f${(i + 1) % count}(n - 1); ${padding} }`).join('\n')}
  return f0;
})();`;

describe('A package whose functions all reach each other', () => {
  test('the warning about its size does not measure it once for each of them', async () => {
    const program = tangle(300, `/*${'x'.repeat(5_000)}*/`) + wrapped('console.log(await pool.apply(() => own(1)));');
    expect(await output('tangle', program.replaceAll('/*', '`').replaceAll('*/', '`;'), false)).toBe('2\n');
  }, 100_000);

  test('explain ends as well', async () => {
    const program =
      tangle(300, '') +
      wrapped("const { explain } = await import('multiprocess'); console.log(explain(() => own(1)).sendable);");
    expect(await output('explained', program, false)).toBe('true\n');
  }, 100_000);

  test('is refused with a repair where reading it would block the program, and the repair works', async () => {
    mkdirSync(out, { recursive: true });
    writeFileSync(`${out}package.mjs`, `${tangle(2_000, '')}\nexport { own };`);
    const program = `${tangle(2_000, '')}
      const file = ${JSON.stringify(pathToFileURL(`${out}package.mjs`).href)};
      ${wrapped(`console.log(await pool.apply(() => own(1)).catch(({ code, repair }) => [code, repair].join()));
      console.log(await pool.apply(async () => (await import(file)).own(1)));`)}`;
    expect(await output('refused', program, false)).toMatch(
      /^MP_TOO_MANY_FUNCTIONS,import the package inside the function.*\n2\n$/,
    );
  }, 100_000);
});
