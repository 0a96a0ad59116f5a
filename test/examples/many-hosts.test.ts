/** examples/many-hosts: a host is killed, and the census is whole. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { INSTALL } from '../../examples/many-hosts/broker.js';
import { hasNats } from '../support/nats.js';

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const run = promisify(execFile);

describe('the census over many hosts', () => {
  it.skipIf(!hasNats)('is that of one machine, though a host is killed', { timeout: 120_000 }, async () => {
    const folder = at('node_modules/rxjs/dist/cjs');
    const { stdout } = await run(process.execPath, [at('.build/examples/many-hosts/main.js'), folder]);
    const census = await run(process.execPath, [at('.build/examples/source-census/main.js'), '--json', folder]);
    const { parsed, lines } = JSON.parse(census.stdout) as { parsed: number; lines: number };
    expect(stdout).toContain('3 hosts have joined\none of them is killed\n');
    expect(stdout).toContain(`${parsed} of ${parsed} files are parsed: ${lines} lines\n`);
  });

  it('says how to install a broker that is not there', async () => {
    const away = run(process.execPath, [at('.build/examples/many-hosts/main.js')], {
      env: { ...process.env, PATH: '/nowhere' },
    });
    await expect(away).rejects.toMatchObject({ code: 1, stderr: `${INSTALL}\n` });
  });
});
