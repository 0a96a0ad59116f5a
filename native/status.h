// What a native function answers instead of throwing.
//
// A non-negative number is a result. A number in [-4095, -1] is a negated errno. Below that stand
// the refusals listed here, which the TypeScript facade (src/native/addon.ts, same numbers) turns
// into errors with words.
#pragma once

namespace multiprocess {

enum Refusal : int {
  kBadArgument = -5000,         // an argument has the wrong type or is out of range
  kNotInt32Array = -5001,       // words is no Int32Array
  kOutOfBounds = -5002,         // index is outside words (a detached view has length 0)
  kNotShared = -5003,           // words lies neither in a mapping nor in a SharedArrayBuffer
  kNotMapped = -5004,           // the ArrayBuffer is none of our mappings
  kBeyondEnd = -5005,           // more bytes asked for than the descriptor holds
  kNoExternalBuffers = -5006,   // this Node build forbids external ArrayBuffers
  kTooLarge = -5007,            // this Node build has no ArrayBuffer of that size
  kTruncated = -5008,           // more descriptors arrived than the caller had room for
  kNotDetachable = -5009,       // somebody has locked the ArrayBuffer, so its views cannot be made empty
  kThreadsBusy = -5010,         // another thread of this process does not come to rest
  kNoExitHook = -5011,          // this Node build has no node::AtExit
  kThreadsAlive = -5012,        // a worker thread runs, which a fork would not have
  kUnknownLoop = -5013,         // this Node's libuv is not laid out as the one we know
};

}  // namespace multiprocess
