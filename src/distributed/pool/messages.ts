/** Every message of distributed pools: who, what happened, how to mend it. */
import {
  ClosedError,
  ConnectionError,
  ProcessError,
  RemoteError,
  SerializationError,
  TimeoutError,
} from '../../errors/index.js';

export function unknownPool(name: string, address: string, known: readonly string[], waited: number): ConnectionError {
  const others = known.length === 0 ? 'It has no pools' : `It has the pools ${known.join(', ')}`;
  return new ConnectionError(
    `DistributedPool: no agent has served the pool \`${name}\` at ${address}, and none came within ${waited} ms. ${others}. Start an agent: npx multiprocess agent --servers ${address} --name ${name}`,
    { code: 'MP_UNKNOWN_POOL' },
  );
}

export function poolClosed(actor: string): ClosedError {
  return new ClosedError(`${actor}: the pool was closed; connect another.`, { code: 'MP_POOL_CLOSED' });
}

export function poolTerminated(): ClosedError {
  return new ClosedError('The distributed pool was terminated before this had a result.', {
    code: 'MP_POOL_TERMINATED',
  });
}

export function poolRunning(): ProcessError {
  return new ProcessError('DistributedPool.join: the pool is still running; call close() or terminate() first.', {
    code: 'MP_POOL_RUNNING',
  });
}

export function refused(description: string): RemoteError {
  return new RemoteError(`DistributedPool: the broker did not take a task: ${description}.`, {
    code: 'MP_BROKER_REFUSED',
  });
}

export function tooLarge(actor: string, bytes: number, limit: number): SerializationError {
  const repair = 'send it in several calls, or pass where it is stored';
  return new SerializationError(
    `${actor}: the message has ${bytes} bytes; a task of many hosts may have ${limit}; ${repair}.`,
    {
      code: 'MP_TOO_LARGE',
      repair,
    },
  );
}

export function largerThanQueue(pool: string, limit: number, description: string): SerializationError {
  const repair = 'make the pool anew with a larger `maxQueueBytes`';
  return new SerializationError(
    `DistributedPool: a task does not fit into the queue of pool ${pool} even without its arguments: ${description} (\`maxQueueBytes\` of its first agent is ${limit}). Repair: ${repair}: remove its streams, and start an agent.`,
    { code: 'MP_TOO_LARGE', repair },
  );
}

export function waitedTooLong(subject: string, limit: number): TimeoutError {
  return new TimeoutError(`${subject} waited longer than its queueTimeout of ${limit} ms for a host; it was not run.`, {
    code: 'MP_QUEUE_TIMEOUT',
  });
}

export function brokerAway(subject: string, address: string, limit: number): TimeoutError {
  return new TimeoutError(
    `${subject} has no result: the broker at ${address} has been away for its timeout of ${limit} ms.`,
  );
}

export function noValue(): RemoteError {
  return new RemoteError(
    'DistributedPool: a result has fewer values than there were items; use the same version of the package on all hosts.',
    {
      code: 'MP_BAD_FRAME',
    },
  );
}
