import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { HELP, readArguments, UsageError } from '../../examples/source-census/arguments.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const read = (...line: string[]) => readArguments(line, () => here);

describe('readArguments', () => {
  it('has a default for everything', () => {
    expect(read()).toEqual({ help: false, directory: here, workers: availableParallelism(), json: false });
  });

  it('takes a directory and options in any order', () => {
    expect(read('--json', '/', '--workers', '3')).toEqual({ help: false, directory: '/', workers: 3, json: true });
    expect(read('/', '--workers=12')).toMatchObject({ directory: '/', workers: 12 });
  });

  it('asks for the default directory only when there is no other', () => {
    expect(readArguments(['/'], () => expect.fail('asked'))).toMatchObject({ directory: '/' });
  });

  it('answers --help before it looks at anything else', () => {
    expect(read('--help', 'no/such/place')).toEqual({ help: true });
    expect(read('-h')).toEqual({ help: true });
    for (const option of ['--workers', '--json', '--help', 'DIR']) expect(HELP).toContain(option);
  });

  it.each([
    [['--wrokers', '3'], "unknown option '--wrokers'"],
    [['-x'], "unknown option '-x'"],
    [['--json=yes'], "Option '--json' does not take an argument"],
    [['--workers'], "Option '--workers <value>' argument missing"],
    [['--workers', '0'], '--workers takes a whole number from 1 to 9999, not "0"'],
    [['--workers', '1.5'], '--workers takes a whole number from 1 to 9999, not "1.5"'],
    [['--workers', 'many'], '--workers takes a whole number from 1 to 9999, not "many"'],
    [['--workers='], '--workers takes a whole number from 1 to 9999, not ""'],
    [['a', 'b'], 'one directory at a time, not 2: a b'],
    [['no/such/place'], 'there is no directory "no/such/place"'],
    [[fileURLToPath(import.meta.url)], 'is not a directory'],
    [[`${fileURLToPath(import.meta.url)}/below`], 'there is no directory'],
  ])('refuses %j', (line, message) => {
    const reading = () => read(...line);
    expect(reading).toThrow(UsageError);
    expect(reading).toThrow(message);
  });
});
