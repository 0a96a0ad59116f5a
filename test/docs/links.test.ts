/** Documents and comments: the files and headings that they name are there, and every decision has a record of one form. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { guides } from '../../scripts/guides.js';
import { root } from '../support/samples.js';

/** Names, and paths, of what no commit has. */
const SKIPPED = new Set(['node_modules', '.git', '.build', 'build', 'dist', 'prebuilds', 'docs/api']);

/** Files and folders below the root, as paths from it. */
function walk(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(({ name }) => !SKIPPED.has(name) && !SKIPPED.has(join(folder, name)))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? [path, ...walk(path)] : [path];
    });
}

const tree = walk('');
const paths = new Set(tree);
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const documents = tree.filter((path) => path.endsWith('.md'));
// Records and the changelog speak of the tree of their time.
const present = documents.filter((path) => !/^docs\/decisions\/\d|^CHANGELOG/.test(path));
const sources = tree.filter((path) => /^(src|native|scripts|test\/support)\/.*\.(ts|js|cjs|cc|h)$/.test(path));

/** What is made by a build, headers of Node, and names that stand for others. */
const FOREIGN = /^dist\/|^node(_api)?\.h$|^uv\.h$|^NNNN-/;

/** Names of files of ours that a text mentions: `src/pool/pool.ts`, `native/estate.h`, `pool.ts`. */
const mentions = (text: string): string[] =>
  text
    .match(
      /(?<![\w/.*$}-])(?:[\w.-]+\/)*[\w-]+(?:\.[\w-]+)*\.(?:ts|cc|h|md)\b(?![*{(])|\b(?:scripts|bench|test|examples)\/[\w./-]+\.[cm]?js\b/g,
    )
    ?.filter((name) => !FOREIGN.test(name)) ?? [];

const withoutFences = (text: string): string => text.replace(/^```.*?^```$/gms, '');

/** Whether a file has this name, or a path that ends in it. */
const isThere = (name: string): boolean => paths.has(name) || tree.some((path) => path.endsWith(`/${name}`));

/** GitHub's anchor of a heading. */
const anchor = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

describe('documents', () => {
  it('link to what is there', () => {
    const dead: string[] = [];
    for (const document of documents) {
      for (const [, target] of withoutFences(read(document)).matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
        const [file, heading] = target!.split('#');
        const path = file === '' ? document : normalize(join(dirname(document), file!)).replace(/\/$/, '');
        const found =
          paths.has(path) &&
          (heading === undefined ||
            [...read(path).matchAll(/^#+ (.*)$/gm)].some(([, text]) => anchor(text!) === heading));
        if (!found) dead.push(`${document}: ${target}`);
      }
    }
    expect(dead).toEqual([]);
  });

  it('name files and folders that are there', () => {
    const dead = present.flatMap((document) => {
      const spans = [...read(document).matchAll(/`([^`\n]+)`/g)].map(([, span]) => span!);
      const folders = spans.filter((span) =>
        /^(src|test|native|scripts|docs|bench|examples)(\/[\w.-]+)+\/?$/.test(span),
      );
      const missing = [
        ...folders.filter((span) => !isThere(span.replace(/\/$/, ''))),
        ...spans.flatMap(mentions).filter((name) => !isThere(name)),
      ];
      return missing.map((name) => `${document}: ${name}`);
    });
    expect(dead).toEqual([]);
  });
});

describe('docs/guides/README.md', () => {
  it('lists every guide, so that the site has it', () => {
    const listed = guides().map(({ file }) => file);
    const written = tree.filter((path) => /^docs\/(guides\/(?!README)|[^/]+\.md$)/.test(path) && path.endsWith('.md'));
    expect(written.filter((path) => !listed.includes(path))).toEqual([]);
  });
});

describe('docs/hazards.md', () => {
  it('names tests that are there, by file and title', () => {
    const proofs = [...read('docs/hazards.md').matchAll(/`(test\/[^`]+)` "([^"]+)"/g)];
    expect(proofs.length).toBeGreaterThan(50);
    expect(proofs.filter(([, file, title]) => !read(file!).includes(title!)).map(([proof]) => proof)).toEqual([]);
  });
});

describe('docs/glossary.md', () => {
  it('has terms that occur in the file, or folder, that says more', () => {
    const rows = [...read('docs/glossary.md').matchAll(/^\| ([^|]+) \| [^|]+ \| `([^`]+)` \|$/gm)];
    expect(rows.length).toBeGreaterThan(40);
    const bare = (text: string): string => text.toLowerCase().replace(/[ -]/g, '');
    const stale = rows.flatMap(([, terms, place]) => {
      const files = tree.filter((path) => (path === place || path.startsWith(`${place}/`)) && /\.\w+$/.test(path));
      const text = bare(files.map(read).join('\n'));
      return terms!
        .split(', ')
        .filter((term) => !text.includes(bare(term)))
        .map((term) => `${term}: ${place}`);
    });
    expect(stale).toEqual([]);
  });
});

describe('comments', () => {
  it('name files that are there', () => {
    const dead = sources.flatMap((source) => {
      const comments = read(source).match(/\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/.*$/gm) ?? [];
      return comments.flatMap(mentions).flatMap((name) => (isThere(name) ? [] : [`${source}: ${name}`]));
    });
    expect(dead).toEqual([]);
  });
});

describe('error codes', () => {
  const code = /`(MP_[A-Z]+(?:_[A-Z]+)*)`/g;
  const made = new Set(
    tree
      .filter((path) => /^(src|scripts|test)\/.*\.(ts|js|cjs)$/.test(path))
      .flatMap((path) => [...read(path).matchAll(/['"](MP_[A-Z_]+)['"]|\benv\.(MP_[A-Z_]+)/g)])
      .map(([, quoted, variable]) => quoted ?? variable!),
  );
  const stale = (path: string): string[] =>
    [...read(path).matchAll(code)].filter(([, name]) => !made.has(name!)).map(([, name]) => `${path}: ${name}`);

  it('in comments and documents are those of errors', () => {
    expect(made.size).toBeGreaterThan(150);
    expect([...sources, ...present].flatMap(stale)).toEqual([]);
  });

  it('of the library are all in the guides', () => {
    const pages = ['docs/guides/error-codes.md', 'docs/guides/what-can-be-sent.md'].map(read).join('\n');
    const listed = new Set([...pages.matchAll(code)].map(([, name]) => name!));
    const thrown = sources
      .filter((path) => path.startsWith('src/'))
      .flatMap((path) => [...read(path).matchAll(/['"](MP_[A-Z]+(?:_[A-Z]+)*)['"]/g)].map(([, name]) => name!));
    expect([...new Set(thrown)].filter((name) => !listed.has(name))).toEqual([]);
  });
});

describe('decisions', () => {
  const records = readdirSync(join(root, 'docs/decisions'))
    .filter((name) => name !== 'README.md')
    .sort();

  it('have numbers of their own', () => {
    const numbers = records.map((name) => Number(name.slice(0, 4)));
    expect(numbers.filter((number, i) => numbers.indexOf(number) !== i)).toEqual([]);
  });

  it('are records of one form, in the index under their area', () => {
    const index = read('docs/decisions/README.md');
    for (const name of records) {
      const record = read(`docs/decisions/${name}`);
      expect(name).toMatch(/^\d{4}(-[a-z0-9]+)+\.md$/);
      const [, number, title] = /^# (\d{4})\. (.+)\n\nArea: /.exec(record) ?? [];
      expect(number, name).toBe(name.slice(0, 4));
      expect(
        [...record.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading),
        name,
      ).toEqual(['Status', 'Context', 'Decision', 'Measurement', 'Alternatives']);
      const area = /^Area: (.*)$/m.exec(record)![1]!;
      const section = index.split(/^## /m).find((text) => text.startsWith(`${area}\n`));
      expect(section, `${name}: area ${area}`).toContain(`- [${number}](${name}) ${title}`);
    }
  });
});
