/** Writers that are heard while their records are read. */
import { expect, test } from 'vitest';
import type { Broker, Msg } from '../../src/distributed/broker/index.js';
import { WriterTable } from '../../src/distributed/channel/writer-table.js';
import { ChannelNames, writeWriter } from '../../src/distributed/wire/index.js';
import { deferred } from '../../src/util/deferred.js';

test.each([[['a', 'b']], [['b', 'a']]])(
  'a writer that is heard to complete meanwhile is not open again (records in the order %s)',
  async (writers) => {
    const names = new ChannelNames('queue', 'heard');
    const handlers = new Map<string, (message: Msg) => void>();
    const [reading, read, noted] = [deferred<void>(), deferred<void>(), deferred<void>()];
    const subjects = Object.fromEntries(writers.map((writer) => [names.writer(writer), 1]));
    const streams = {
      info: (_: string, { subjects_filter }: { subjects_filter: string }) =>
        Promise.resolve({ state: { subjects: subjects_filter === names.writers ? subjects : {} } }),
      getMessage: async (_: string, { last_by_subj }: { last_by_subj: string }) => {
        if (last_by_subj === names.error) {
          noted.resolve();
          throw Object.assign(new Error('none'), { code: 10037 });
        }
        reading.resolve();
        await read.promise;
        return { data: writeWriter('open') };
      },
    };
    const broker = {
      up: true,
      subscribe: (subject: string, handler: (message: Msg) => void) => {
        handlers.set(subject, handler);
        return () => {};
      },
      onUp: () => () => {},
      onDown: () => () => {},
      persist: (attempt: () => Promise<void>) => attempt(),
      streams: { streams },
    } as unknown as Broker;
    const table = new WriterTable(broker, names, {
      lease: 600_000,
      writers: 1,
      onWriterLost: 'error',
      decodeEnd: () => undefined,
      changed: () => {},
    });
    const completes = (writer: string): void => {
      const message = { subject: names.saidBy(writer), data: writeWriter('completed') };
      handlers.get(names.saidByWriters)!(message as Msg);
    };
    table.start();
    await reading.promise;
    completes('a');
    read.resolve();
    await noted.promise;
    completes('b');
    await expect.poll(() => table.end()).toEqual({ error: undefined, said: true });
    table.close();
  },
);
