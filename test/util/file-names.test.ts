/** Names of files of this system and of Windows. No Windows is at hand: what is tested is the form of names. */
import { describe, expect, it } from 'vitest';
import { FILE_PLACE, fileUrlOf, isInstalled, pathOf } from '../../src/util/file-names.js';

describe('The URL of a name', () => {
  it.each([
    ['/app/main.js', 'file:///app/main.js'],
    ['/my app/a#b?.js', 'file:///my%20app/a%23b%3F.js'],
    ['file:///app/main.js', 'file:///app/main.js'],
    ['C:\\app\\main.js', 'file:///C:/app/main.js'],
    ['c:/app/main.js', 'file:///c:/app/main.js'],
    ['C:\\Program Files (x86)\\50%\\main.js', 'file:///C:/Program%20Files%20(x86)/50%25/main.js'],
    ['\\\\server\\share\\main.js', 'file://server/share/main.js'],
    ['file:///C:/app/main.js', 'file:///C:/app/main.js'],
  ])('of the file %s', (name, url) => expect(fileUrlOf(name)).toBe(url));

  it.each(['', 'main.js', './main.js', 'node:fs', 'evalmachine.<anonymous>', 'data:text/javascript,1', 'C:', 'pkg\\a'])(
    'is none for %j, which is no file',
    (name) => expect(fileUrlOf(name)).toBeNull(),
  );
});

it('The path of a URL is none where this system has no such file', () => {
  expect(pathOf('file:///my%20app/main.js')).toBe('/my app/main.js');
  expect(pathOf('file://server/share/main.js')).toBeNull();
  expect(pathOf('file:///a%2Fb.js')).toBeNull();
  expect(pathOf('node:fs')).toBeNull();
});

describe('The place at the end of a frame', () => {
  it.each([
    ['    at find (/app/users.js:12:11)', ['/app/users.js', '12', '11']],
    ['    at /app/users.js:12:11', ['/app/users.js', '12', '11']],
    ['    at async find (file:///app/users.js:12:11)', ['file:///app/users.js', '12', '11']],
    ['    at async file:///app/users.js:12:11', ['file:///app/users.js', '12', '11']],
    ['    at find (/my app/users (old).js:12:11)', ['/my app/users (old).js', '12', '11']],
    ['    at C:\\x\\y.js:1:2', ['C:\\x\\y.js', '1', '2']],
    ['    at new Users (C:\\Program Files (x86)\\y.js:1:2)', ['C:\\Program Files (x86)\\y.js', '1', '2']],
    ['    at find [as get] (\\\\server\\share\\y.js:1:2)', ['\\\\server\\share\\y.js', '1', '2']],
    ['    at file:///C:/x/y.js:1:2', ['file:///C:/x/y.js', '1', '2']],
    ['/app/users.ts:3:5', ['/app/users.ts', '3', '5']],
  ])('%s', (frame, place) => expect(FILE_PLACE.exec(frame)?.slice(1)).toEqual(place));

  it.each([
    '    at eval (eval at find (/app/users.js:12:11), <anonymous>:1:1)',
    '    at node:internal/main/run_main_module:23:47',
    '    at new Promise (<anonymous>)',
    '    at Array.map (native)',
    'Error: see /app/users.js:12:11',
  ])('is none in %s', (frame) => expect(FILE_PLACE.exec(frame)).toBeNull());
});

it('A file of an installed package is known by either separator', () => {
  expect(isInstalled('C:\\app\\node_modules\\pkg\\index.js')).toBe(true);
  expect(isInstalled('file:///C:/app/node_modules/pkg/index.js')).toBe(true);
  expect(isInstalled('/app/my_node_modules/index.js')).toBe(false);
});
