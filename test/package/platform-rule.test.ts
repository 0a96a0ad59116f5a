/** The rule that keeps Linux in files of its own, which `npm run lint` asks for, finds what it is for. */
import { describe, expect, it } from 'vitest';
import { linuxIn } from '../../scripts/check-platform.js';

describe('Linux outside of its files', () => {
  it.each([
    ["readFileSync('/proc/self/stat')", 'a path of Linux'],
    ['readFileSync(`/proc/$' + '{pid}/stat`)', 'a path of Linux'],
    ['open(`$' + '{root}/proc/self/cgroup`)', 'a path of Linux'],
    ["const folder = '/dev/shm';", 'a path of Linux'],
    ['/^\\/dev\\/shm\\//.test(path)', 'a path of Linux'],
    ["mkdtempSync('/tmp/x')", 'a folder of Unix'],
    ["listen('\\0multiprocess')", 'an abstract socket'],
    ['const eventfd = create();', 'an object of the Linux kernel'],
    ['class A { #pidfd = -1; }', 'an object of the Linux kernel'],
    ['process.getuid!()', 'users of Unix'],
    ["import { closeEventfd } from './other.js'; closeEventfd();", 'an object of the Linux kernel'],
  ])('is found in %s', (text, what) => {
    expect(linuxIn(text)).toContainEqual(expect.stringContaining(what));
  });

  it.each([
    '// /proc/self/stat is what this reads',
    "import { isOwnThread } from '../platform/proc-linux.js';",
    "import { createEventfd } from '../native/index.js'; createEventfd();",
    'const key = `$' + '{parent}\\0$' + '{specifier}`;',
    "const subpath = './dev/shm';",
    "const url = 'https://example.com/processes';",
    'const device = devices.get(name);',
  ])('is not found in %s', (text) => expect(linuxIn(text)).toEqual([]));
});
