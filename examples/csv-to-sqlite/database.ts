/** The target: orders, dead letters and how far the file is read, in one SQLite file. */
import type { Place } from './blocks.js';
import type { Loaded } from './parse-block.js';

export const NEEDED = 'node:sqlite is not in this Node: this example needs Node 22.13 or newer';

/** Parts of `node:sqlite` that are used here; the types of Node 20 do not have them. */
interface Sqlite {
  readonly DatabaseSync: new (file: string) => DatabaseSync;
}
interface DatabaseSync {
  exec(sql: string): void;
  prepare(sql: string): {
    run(...values: unknown[]): { readonly changes: number | bigint };
    all(...values: unknown[]): unknown[];
  };
  close(): void;
}

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, day TEXT, country TEXT, cents INTEGER, note TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS dead_letters (line INTEGER PRIMARY KEY, reason TEXT, text TEXT) STRICT;
  CREATE TABLE IF NOT EXISTS progress (file TEXT PRIMARY KEY, offset INTEGER, line INTEGER) STRICT;
`;

export class Database implements Disposable {
  readonly #db: DatabaseSync;

  constructor(file: string) {
    const sqlite = process.getBuiltinModule('node:sqlite') as Sqlite | undefined;
    if (sqlite === undefined) throw new Error(NEEDED);
    this.#db = new sqlite.DatabaseSync(file);
    this.#db.exec(SCHEMA);
  }

  /** Where the next block of `file` begins; `null` when none of it was loaded yet. */
  place(file: string): Place | null {
    const [row] = this.#db.prepare('SELECT offset, line FROM progress WHERE file = ?').all(file);
    return (row as Place | undefined) ?? null;
  }

  /** Rows, dead letters and the new place in one transaction: a crash at any moment loses and doubles nothing. */
  commit(file: string, { orders, rejected, end }: Loaded): void {
    this.#db.exec('BEGIN');
    try {
      const order = this.#db.prepare('INSERT OR IGNORE INTO orders VALUES (?, ?, ?, ?, ?)');
      const letter = this.#db.prepare('INSERT INTO dead_letters VALUES (?, ?, ?)');
      for (const { line, ...fields } of orders) {
        const { id, day, country, cents, note } = fields;
        const { changes } = order.run(id, day, country, cents, note);
        if (changes === 0) letter.run(line, 'an id that is there already', JSON.stringify(fields));
      }
      for (const { line, reason, text } of rejected) letter.run(line, reason, text);
      this.#db.prepare('INSERT OR REPLACE INTO progress VALUES (?, ?, ?)').run(file, end.offset, end.line);
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Lines about what is loaded. */
  summary(): string[] {
    const all = (sql: string) => this.#db.prepare(sql).all() as Record<string, string | number>[];
    return [
      ...all('SELECT country, count(*) AS n, sum(cents) AS cents FROM orders GROUP BY country ORDER BY country').map(
        ({ country, n, cents }) => `${country}  ${n} orders, ${(Number(cents) / 100).toFixed(2)}`,
      ),
      ...all('SELECT reason, count(*) AS n, min(line) AS line FROM dead_letters GROUP BY reason ORDER BY reason').map(
        ({ reason, n, line }) => `dead letters: ${n} with ${reason}, the first in line ${line}`,
      ),
    ];
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
