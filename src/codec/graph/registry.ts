/** The node kinds this process knows, by their name on the wire. */
import { ArgumentError } from '../../errors/index.js';
import type { NodeKind } from '../node.js';

const kinds = new Map<string, NodeKind>();

/**
 * Makes a kind known. Registering the same object twice is fine.
 * @throws ArgumentError `MP_INVALID_ARGUMENT` when another kind has the tag.
 */
export function registerKind(kind: NodeKind): void {
  const known = kinds.get(kind.tag);
  if (known !== undefined && known !== kind) {
    throw new ArgumentError(
      `registerKind: the tag \`${kind.tag}\` belongs to another node kind; choose a tag of your own.`,
    );
  }
  kinds.set(kind.tag, kind);
}

/** The kind of that tag, if it is known. */
export function kindOf(tag: string): NodeKind | undefined {
  return kinds.get(tag);
}
