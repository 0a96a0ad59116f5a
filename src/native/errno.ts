/**
 * Error numbers of Linux by their names, negated as in Node's errors and in what the addon returns.
 * They are the same on x64 and arm64. Those of node:os would cost each child the loading of a
 * module.
 */
export const Errno = {
  EPERM: -1,
  ENOENT: -2,
  ESRCH: -3,
  EINTR: -4,
  EIO: -5,
  EBADF: -9,
  EAGAIN: -11,
  ENOMEM: -12,
  EACCES: -13,
  EEXIST: -17,
  EINVAL: -22,
  ENFILE: -23,
  EMFILE: -24,
  EPIPE: -32,
  ENONET: -64,
  EPROTO: -71,
  ENOTSOCK: -88,
  ENOPROTOOPT: -92,
  EOPNOTSUPP: -95,
  EADDRINUSE: -98,
  EADDRNOTAVAIL: -99,
  ENETDOWN: -100,
  ENETUNREACH: -101,
  ECONNABORTED: -103,
  ECONNRESET: -104,
  ENOBUFS: -105,
  ENOTCONN: -107,
  ETIMEDOUT: -110,
  ECONNREFUSED: -111,
  EHOSTDOWN: -112,
  EHOSTUNREACH: -113,
  EINPROGRESS: -115,
} as const;

/** Returns the negated error number that an error of a system call has; `undefined` for others. */
export function errnoOf(error: unknown): number | undefined {
  const errno: unknown = (error as { errno?: unknown } | null | undefined)?.errno;
  return typeof errno === 'number' ? errno : undefined;
}
