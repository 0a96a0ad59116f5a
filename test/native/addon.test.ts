import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { nativeAvailable, nativeError } from '../../src/native/index.js';
import { startFixture } from '../support/fixture-process.js';

const elsewhere = mkdtempSync(join(tmpdir(), 'multiprocess-no-addon-'));
afterAll(() => rmSync(elsewhere, { recursive: true }));

test('the addon is there and loads', () => {
  expect(nativeError()).toBeNull();
  expect(nativeAvailable()).toBe(true);
});

test('without the addon the import succeeds and the first call says what to do', async () => {
  cpSync(fileURLToPath(new URL('../../dist', import.meta.url)), join(elsewhere, 'dist'), { recursive: true });
  cpSync(fileURLToPath(new URL('../../package.json', import.meta.url)), join(elsewhere, 'package.json'));
  const facade = pathToFileURL(join(elsewhere, 'dist/native/index.js')).href;
  const fixture = startFixture('native/no-addon.mjs', { args: [facade] });
  expect(await fixture.line()).toBe('false MP_NO_ADDON');
  expect(await fixture.line()).toBe('UnsupportedError MP_NO_ADDON true');
  expect(await fixture.ended).toBe(0);
});

test('MULTIPROCESS_NATIVE=off does without the addon, in threads too', async () => {
  const facade = new URL('../../dist/native/index.js', import.meta.url).href;
  const fixture = startFixture('native/switched-off.mjs', { args: [facade], env: { MULTIPROCESS_NATIVE: 'off' } });
  expect(await fixture.line()).toBe('false MP_NO_ADDON');
  // Its environment does not say so.
  expect(await fixture.line()).toBe('false MP_NO_ADDON');
  expect(await fixture.ended).toBe(0);
});
