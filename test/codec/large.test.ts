/** The limits of size: strings whose UTF-8 is longer than a string can be, and messages that no buffer holds. */
import { constants } from 'node:buffer';
import { dumps, loads } from 'multiprocess/reduction';
import { expect, it } from 'vitest';

it('a string of 2^28 letters with accents arrives', () => {
  let text: string | undefined = 'é'.repeat(2 ** 28);
  let bytes: Uint8Array | undefined = dumps(text);
  const arrived = loads<string>(bytes);
  bytes = undefined;
  expect(arrived.length).toBe(2 ** 28);
  expect(arrived === text).toBe(true);
  text = undefined;
}, 120_000);

it('a long string is given the room it takes, not three times as much', () => {
  const text = 'a'.repeat(2 ** 24);
  expect(loads(dumps([text, text])) as string[]).toEqual([text, text]);
});

it.runIf(constants.MAX_LENGTH < 2 ** 33)('a message that is too large for a buffer is refused as that', () => {
  // Memory that is never touched takes none.
  const arrays = [1, 2, 3].map(() => new Float64Array(2 ** 28));
  expect(() => dumps(arrays)).toThrow(
    expect.objectContaining({ name: 'SerializationError', code: 'MP_TOO_LARGE', repair: 'send it in parts' }),
  );
});
