import type { DictChange } from 'multiprocess/managers';
import { type Observable, scan } from 'rxjs';

/** Follows a shared dict: after each change a Map of what it holds. */
export function replica<K, V>(changes: Observable<DictChange<K, V>>): Observable<ReadonlyMap<K, V>> {
  return changes.pipe(scan(apply<K, V>, new Map<K, V>()));
}

function apply<K, V>(before: Map<K, V>, change: DictChange<K, V>): Map<K, V> {
  switch (change.type) {
    case 'state': // the first item; and what stands for changes that came too fast
      return new Map(change.entries);
    case 'set':
      return new Map(before).set(change.key, change.value);
    case 'delete': {
      const after = new Map(before);
      after.delete(change.key);
      return after;
    }
    case 'clear':
      return new Map();
    case 'gap': // only with `lag: 'drop-oldest'`
      throw new Error(`${change.missed} changes are lost; watch with the default \`lag\``);
  }
}
