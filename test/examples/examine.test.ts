import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examine } from '../../examples/source-census/examine.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'census-examine-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function examined(content: string) {
  const path = join(directory, 'a.js');
  writeFileSync(path, content);
  return examine(path, 10);
}

describe('examine', () => {
  it('measures a file, with its size in bytes and lines', () => {
    const found = examined('// é\nexport const a = () => b;\n');
    expect(found).toMatchObject({ bytes: 32, lines: 2, measured: { functions: 1, comments: { count: 1 } } });
    expect(found).not.toHaveProperty('failure');
    expect(found.memory).toBeGreaterThan(1e6);
  });

  it('tells why a file does not parse, and still how large it is', () => {
    expect(examined('let a =\n')).toMatchObject({ failure: 'does not parse: Unexpected token', bytes: 8, lines: 1 });
  });

  it('tells why a file cannot be read', () => {
    expect(examine(join(directory, 'absent.js'), 10)).toMatchObject({
      failure: 'unreadable: ENOENT',
      bytes: 0,
      lines: 0,
    });
    expect(examine(directory, 10)).toMatchObject({ failure: 'unreadable: EISDIR' });
  });

  it('tells when a file nests too deep for the parser', () => {
    expect(examined('['.repeat(100_000))).toMatchObject({
      failure: expect.stringMatching(/^does not parse: .*stack/),
      bytes: 100_000,
    });
  });
});
