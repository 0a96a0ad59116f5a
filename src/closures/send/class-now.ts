/**
 * A class as it is now: what of its text is left out or replaced, so that rebuilding it evaluates
 * nothing again.
 *
 *   static blocks and fields            left out; the fields are properties of the class, which travel (properties.ts)
 *   initial values of private statics   replaced by the values that they have now, which V8 shows
 *   computed names                      replaced by the names that they gave
 *   methods that were taken away        left out
 */
import type { Analysis } from '../analysis/analysis.js';
import type { ClassMember } from '../analysis/class-members.js';
import { wordNotIn } from '../analysis/text.js';
import type { Mirror } from '../inspect/inspector.js';
import type { Edit, Slot } from '../wire.js';
import type { Children } from './children.js';

/** The function and prototype properties that the text gives under a computed name. */
export interface ComputedNames {
  readonly statics: ReadonlySet<string | symbol>;
  readonly prototype: ReadonlySet<string | symbol>;
}

interface Target {
  readonly slots: Slot[];
  readonly edits: Edit[];
}

/** Edits the text of a class, and adds the slots that the edits need. */
export function classAsItIs(
  fn: Function,
  text: string,
  { members }: Analysis,
  mirror: Mirror | null,
  children: Children,
  to: Target,
): void {
  const keys = new MethodKeys(fn, text);
  for (const member of members) {
    const { start, end } = member;
    if (member.kind === 'block' || (member.kind === 'field' && member.isStatic && !member.isPrivate))
      to.edits.push([start, end, '']);
    else if (member.kind === 'field') privateStatic(member, text, mirror, children, to);
    else if (member.kind !== 'constructor' && !member.isPrivate) {
      const key = member.name ?? keys.find(member);
      const owner = ownerOf(fn, member);
      if (key === null || (owner !== null && !Object.hasOwn(owner, key))) to.edits.push([start, end, '']);
      else if (member.name === null) replaceKey(member, key, text, children, to);
    }
  }
}

/** Which properties of a class its text gives under a computed name. */
export function computedNames(fn: Function, text: string, { members }: Analysis): ComputedNames {
  const keys = new MethodKeys(fn, text);
  const names = { statics: new Set<string | symbol>(), prototype: new Set<string | symbol>() };
  for (const member of members) {
    if (member.name !== null || member.kind === 'block' || member.kind === 'field') continue;
    const key = keys.find(member);
    if (key !== null) (member.isStatic ? names.statics : names.prototype).add(key);
  }
  return names;
}

function ownerOf(fn: Function, { isStatic }: ClassMember): object | null {
  const owner: unknown = isStatic ? fn : fn.prototype;
  return typeof owner === 'function' || (typeof owner === 'object' && owner !== null) ? owner : null;
}

/** Under which keys the methods with computed names are: they print their part of the text. */
class MethodKeys {
  readonly #fn: Function;
  readonly #text: string;
  /** Two members may have one text (`[next()]() {}`): they are found in their order. */
  readonly #found = new Map<string, Set<string | symbol>>();

  constructor(fn: Function, text: string) {
    this.#fn = fn;
    this.#text = text;
  }

  find(member: ClassMember): string | symbol | null {
    const owner = ownerOf(this.#fn, member);
    if (owner === null) return null;
    const part = member.kind === 'get' || member.kind === 'set' ? member.kind : 'value';
    const written = this.#text.slice(member.start, member.end);
    const id = `${member.isStatic} ${part} ${written}`;
    let found = this.#found.get(id);
    if (found === undefined) {
      found = new Set();
      this.#found.set(id, found);
    }
    for (const key of Reflect.ownKeys(owner)) {
      const value: unknown = Object.getOwnPropertyDescriptor(owner, key)?.[part];
      if (typeof value !== 'function' || found.has(key) || !written.endsWith(Function.prototype.toString.call(value)))
        continue;
      found.add(key);
      return key;
    }
    return null;
  }
}

/** Brackets, since `constructor` and `__proto__` would mean more without. */
function replaceKey(
  { key: span }: ClassMember,
  key: string | symbol,
  text: string,
  children: Children,
  to: Target,
): void {
  const { start, end } = span!;
  if (typeof key === 'string') {
    to.edits.push([start, end, `[${JSON.stringify(key)}]`]);
    return;
  }
  const name = wordNotIn(text, `key$${to.slots.length}`);
  to.slots.push({ name, from: 'child', child: children.add(key, `name [${String(key)}]`) });
  to.edits.push([start, end, `[${name}]`]);
}

function privateStatic(member: ClassMember, text: string, mirror: Mirror | null, children: Children, to: Target): void {
  if (!member.isStatic || mirror?.privates.has(member.name!) !== true) return;
  const name = wordNotIn(text, `static$${to.slots.length}`);
  to.slots.push({
    name,
    from: 'child',
    child: children.add(mirror.privates.get(member.name!), `static ${member.name}`),
    private: member.name!,
  });
  const { start, end } = member.value ?? { start: member.key!.end, end: member.key!.end };
  to.edits.push([start, end, member.value === null ? `=${name}` : name]);
}
