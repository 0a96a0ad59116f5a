/** Iterating a shared container from a client: page by page, with pages that grow. */
import type { Page } from './page.js';

/** Most items of a page. */
const MAX_PAGE_ITEMS = 4096;

/**
 * Returns the items of a container, as they are when they are reached.
 * @param page asks for up to `count` items after the first `at`; `shape` is what the page before
 * said.
 */
export async function* iterate<T>(
  page: (at: number, count: number, shape: number | undefined) => Promise<Page<T>>,
): AsyncGenerator<T, void, undefined> {
  let at = 0;
  let shape: number | undefined;
  for (let count = 1; ; count = Math.min(2 * count, MAX_PAGE_ITEMS)) {
    const { items, done, shape: now } = await page(at, count, shape);
    yield* items;
    if (done) return;
    at += items.length;
    shape = now;
  }
}
