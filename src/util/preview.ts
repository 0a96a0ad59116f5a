/** Characters of a preview and of a string in it, parts of what is shown, and how deep it goes. */
const LENGTH = 80;
const STRING = 40;
const PARTS = 5;
const DEPTH = 3;

/**
 * A value in some characters, for statistics: cheap however large it is, and without calling
 * anything of its own.
 */
export function preview(value: unknown): string {
  let text: string;
  try {
    text = shown(value, DEPTH);
  } catch {
    // A proxy that does not want to be looked at.
    text = '…';
  }
  return text.length > LENGTH ? `${text.slice(0, LENGTH - 1)}…` : text;
}

function shown(value: unknown, depth: number): string {
  if (typeof value === 'string') return JSON.stringify(value.length > STRING ? `${value.slice(0, STRING)}…` : value);
  if (typeof value === 'function') return `[function ${value.name}]`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return String(value);
  if (value instanceof Date || value instanceof RegExp || value instanceof URL) return String(value);
  if (ArrayBuffer.isView(value)) return `${nameOf(value)}(${value.byteLength} bytes)`;
  if (Array.isArray(value)) {
    if (depth === 0) return `Array(${value.length})`;
    const parts = value.slice(0, PARTS).map((part) => shown(part, depth - 1));
    return `[${parts.join(', ')}${value.length > PARTS ? `, … ${value.length}` : ''}]`;
  }
  if (value instanceof Map || value instanceof Set) return `${nameOf(value)}(${value.size})`;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  const name = nameOf(value);
  const title = name === 'Object' || name === '' ? '' : `${name} `;
  if (depth === 0) return `${title}{…}`;
  const parts: string[] = [];
  for (const key in value) {
    if (parts.length === PARTS) {
      parts.push('…');
      break;
    }
    const property = Object.getOwnPropertyDescriptor(value, key);
    if (property !== undefined) parts.push(`${key}: ${'value' in property ? shown(property.value, depth - 1) : '…'}`);
  }
  return `${title}{${parts.length === 0 ? '' : ` ${parts.join(', ')} `}}`;
}

function nameOf(value: object): string {
  return (Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null)?.constructor?.name ?? '';
}
