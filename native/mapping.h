// Shared mappings of this process, by address.
//
// Invariant: a Mapping's bytes stay mapped while `pins` > 0. One pin belongs to the ArrayBuffer
// (dropped by
//            unmapMemory or by its finalizer, whichever comes first), one to each asynchronous wait on it.
//            The struct itself is freed once the bytes are gone and the finalizer has run.
#pragma once

#include <cstddef>

namespace multiprocess {

struct Mapping;

// True when [address, address + bytes) lies in a mapping that is open. Cheap when asked for the
// same mapping again.
bool isMapped(const void* address, size_t bytes);

// Pins the mapping that holds the address, or answers null when there is none.
Mapping* pinMapping(const void* address);
void unpinMapping(Mapping* mapping);

}  // namespace multiprocess
