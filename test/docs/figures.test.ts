/** Figures in documents: a table of measurements says on which machine, when and by which command they were taken. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/samples.js';

const documents = [
  'README.md',
  ...['docs', 'docs/guides'].flatMap((folder) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `${folder}/${name}`),
  ),
];

const MEASURED = /\|\s*[\d.,]+ ?(?:ms|us|µs|ns|MB|x|%|items\/s|MB\/s|\/s)\s*(?=\|)/;
const UNITS = /(?:\b|, )(?:ms|us|ns|µs|MB|MB\/s|items\/s|a second)\s*(?=\|)/;

const NEEDED = {
  machine: /AMD|Intel|processor\s+was\s+not\s+noted/,
  date: /\b20\d\d-\d\d-\d\d\b|\b\d{1,2}\s+[A-Z][a-z]+\s+20\d\d\b/,
  command: /\b(?:node bench\/\w+\.js|npm run [\w:]+)/,
} as const;

/** The tables of measurements of a document, each with the section that it stands in. */
function* measuredTables(text: string): Generator<{ table: string; section: string }> {
  for (const section of text.replace(/^```.*?^```$/gms, '').split(/^(?=#)/m)) {
    for (const [table] of section.matchAll(/(?:^\|.*\n)+/gm)) {
      const rows = table.split('\n').filter((row) => MEASURED.test(row));
      if (rows.length >= 2 || UNITS.test(table)) yield { table, section };
    }
  }
}

describe('tables of measurements', () => {
  it('say the machine, the date and the command', () => {
    const lacking: string[] = [];
    let seen = 0;
    for (const document of documents) {
      for (const { table, section } of measuredTables(readFileSync(join(root, document), 'utf8'))) {
        seen++;
        for (const [what, form] of Object.entries(NEEDED))
          if (!form.test(section)) lacking.push(`${document}: no ${what} at ${table.split('\n')[0]}`);
      }
    }
    expect(lacking).toEqual([]);
    expect(seen).toBeGreaterThan(10);
  });
});
