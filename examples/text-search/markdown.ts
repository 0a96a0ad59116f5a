/** Finds the Markdown files below a directory, one after the other as they are asked for. */
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';

export async function* markdown(directory: string): AsyncGenerator<string, void, undefined> {
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* markdown(path);
    else if (entry.isFile() && /\.(md|markdown)$/i.test(entry.name)) yield path;
  }
}
