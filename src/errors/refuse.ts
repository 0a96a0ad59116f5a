import { SerializationError } from './reduction.js';

/** Returns the error for what cannot be sent or rebuilt: `<what>; <repair>.` */
export function refuse(
  code: string,
  what: string,
  repair: string,
  details: { path?: string; cause?: unknown } = {},
): SerializationError {
  const sentence = `${what[0]!.toUpperCase()}${what.slice(1)}`;
  if (repair === '') return new SerializationError(sentence, { code, ...details });
  return new SerializationError(`${sentence}; ${repair}.`, { code, repair, ...details });
}
