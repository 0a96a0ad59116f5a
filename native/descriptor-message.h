// Messages that carry descriptors (SCM_RIGHTS) through a unix socket.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace multiprocess {

constexpr size_t kMostDescriptors = 253;  // SCM_MAX_FD

// Sends bytes, at least one, and with the first of them copies of descriptors. How many bytes were
// taken, or a negated errno.
ssize_t sendMessage(int socket, const void* bytes, size_t length, const int* fds, size_t count, int flags);

// Receives bytes and, close-on-exec, what came with them. How many bytes, or a negated errno;
// `truncated`: the kernel dropped descriptors for which this process had no room.
ssize_t receiveMessage(int socket, void* bytes, size_t length, std::vector<int>* fds, bool* truncated, int flags);

}  // namespace multiprocess
