/** Paths inside of packages, by the rules of this system and of Windows. */
import { posix, win32 } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathWithin } from '../../src/distributed/callables/package-of.js';

describe('The path of a file inside of a folder', () => {
  it('has slashes on every system', () => {
    expect(pathWithin('/app', '/app/src/work.js', posix)).toBe('src/work.js');
    expect(pathWithin('C:\\app', 'c:\\app\\src\\work.js', win32)).toBe('src/work.js');
  });

  it('is none for what lies elsewhere', () => {
    expect(pathWithin('/app', '/app', posix)).toBeUndefined();
    expect(pathWithin('/app', '/app2/work.js', posix)).toBeUndefined();
    expect(pathWithin('C:\\app', 'C:\\work.js', win32)).toBeUndefined();
    expect(pathWithin('C:\\app', 'D:\\app\\work.js', win32)).toBeUndefined();
    expect(pathWithin('C:\\app', '\\\\server\\app\\work.js', win32)).toBeUndefined();
  });

  it('may begin with two dots that are part of a name', () => {
    expect(pathWithin('/app', '/app/..work.js', posix)).toBe('..work.js');
  });
});
