// Repeats the test runner's count as a plain line: N passed, N failed, N skipped.
import { readFileSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';

const log = stripVTControlCharacters(readFileSync(process.argv[2], 'utf8'));
const line = log.split('\n').findLast((text) => /^\s*Tests\s/.test(text)) ?? '';
const count = (word) => Number(line.match(new RegExp(`(\\d+) ${word}`))?.[1] ?? 0);
const skipped = count('skipped') + count('todo');
console.log(`${count('passed')} passed, ${count('failed')} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(count('passed') > 0 && count('failed') === 0 ? 0 : 1);
