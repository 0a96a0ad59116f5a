/** docs/pictures: each is what its script draws, and a document shows it. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pictures } from '../../scripts/picture.js';
import { root } from '../support/samples.js';

const SHOWN_BY: Readonly<Record<string, string>> = {
  'overview.svg': 'README.md',
  'window.svg': 'docs/guides/streams-and-backpressure.md',
};

describe('pictures', () => {
  it('are all drawn by scripts', () => {
    expect(readdirSync(join(root, 'docs/pictures')).sort()).toEqual(pictures.map(({ file }) => basename(file)).sort());
  });

  for (const { file, drawn } of pictures) {
    it(`${file} is what its script draws`, () => {
      const svg = readFileSync(join(root, file), 'utf8');
      expect(svg).toBe(drawn());
      const [, title] = /<title id="title">(.*?)<\/title>/.exec(svg)!;
      expect(readFileSync(join(root, SHOWN_BY[basename(file)]!), 'utf8')).toContain(`![${title}](`);
    });
  }
});
