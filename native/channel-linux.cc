// Bytes through descriptors that nobody made non-blocking: each call says for itself that it must
// not wait.
//
// O_NONBLOCK belongs to the open file, which other processes may share, so it is never set here.
// Sockets take MSG_DONTWAIT; pipes take RWF_NOWAIT, or, where the kernel lacks that, are asked by
// poll(2) first.
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "arguments.h"
#include "clock.h"
#include "descriptor-message.h"
#include "exports.h"
#include "status.h"

namespace multiprocess {
namespace {

constexpr size_t kPipeBuf = 4096;  // a pipe that is writable takes as much without waiting

bool readyNow(int fd, short events) {
  pollfd one{fd, events, 0};
  return poll(&one, 1, 0) > 0;
}

ssize_t readPipe(int fd, char* data, size_t length) {
  iovec part{data, length};
  const ssize_t got = preadv2(fd, &part, 1, -1, RWF_NOWAIT);
  if (got >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) return got;
  if (!readyNow(fd, POLLIN)) {
    errno = EAGAIN;
    return -1;
  }
  return read(fd, data, length);
}

ssize_t writePipe(int fd, const char* data, size_t length) {
  iovec part{const_cast<char*>(data), length};
  const ssize_t sent = pwritev2(fd, &part, 1, -1, RWF_NOWAIT);
  if (sent >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)) return sent;
  if (!readyNow(fd, POLLOUT)) {
    errno = EAGAIN;
    return -1;
  }
  return write(fd, data, std::min(length, kPipeBuf));
}

// The bytes [start, end) of a typed array of bytes; null when that is out of bounds.
template <size_t N>
char* part(const Arguments<N>& in, size_t* length) {
  void* data;
  size_t size;
  double start, end;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(in.env, in.values[1], &type, &size, &data, nullptr, nullptr) != napi_ok || type != napi_uint8_array ||
      !in.number(2, &start) || !in.number(3, &end) || !(start >= 0 && start <= end && end <= static_cast<double>(size))) {
    return nullptr;
  }
  *length = static_cast<size_t>(end - start);
  return static_cast<char*>(data) + static_cast<size_t>(start);
}

// Takes bytes that are known to be there; `data` has room for `length` at a time.
void drop(int fd, char* data, size_t length, size_t bytes) {
  while (bytes > 0) {
    const ssize_t got = recv(fd, data, std::min(bytes, length), MSG_DONTWAIT);
    if (got > 0) bytes -= static_cast<size_t>(got);
    else if (got == 0 || errno != EINTR) return;
  }
}

// channelRead(fd, bytes, start, end, peek, known) -> bytes read, 0 at the end of the stream,
// -EAGAIN when nothing is there. First takes and forgets `known` bytes, which are there.
napi_value channelRead(napi_env env, napi_callback_info info) {
  Arguments<6> in(env, info);
  int32_t fd, known;
  bool peek;
  size_t length = 0;
  char* data = part(in, &length);
  if (!in.int32(0, &fd) || !in.boolean(4, &peek) || !in.int32(5, &known) || known < 0 || data == nullptr || length == 0) {
    return answer(env, kBadArgument);
  }
  if (known > 0) drop(fd, data, length, static_cast<size_t>(known));
  for (;;) {
    ssize_t got = recv(fd, data, length, MSG_DONTWAIT | (peek ? MSG_PEEK : 0));
    if (got < 0 && errno == ENOTSOCK && !peek) got = readPipe(fd, data, length);
    if (got >= 0) return answer(env, static_cast<double>(got));
    if (errno != EINTR) return answer(env, -errno);
  }
}

// channelWrite(fd, bytes, start, end) -> bytes the kernel took, -EAGAIN when it takes none
napi_value channelWrite(napi_env env, napi_callback_info info) {
  Arguments<4> in(env, info);
  int32_t fd;
  size_t length = 0;
  char* data = part(in, &length);
  if (!in.int32(0, &fd) || data == nullptr || length == 0) return answer(env, kBadArgument);
  for (;;) {
    ssize_t sent = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == ENOTSOCK) sent = writePipe(fd, data, length);
    if (sent >= 0) return answer(env, static_cast<double>(sent));
    if (errno != EINTR) return answer(env, -errno);
  }
}

// channelWriteWith(fd, bytes, start, end, descriptor) -> as channelWrite; a copy of the descriptor
// travels with the first byte
napi_value channelWriteWith(napi_env env, napi_callback_info info) {
  Arguments<5> in(env, info);
  int32_t fd, descriptor;
  size_t length = 0;
  char* data = part(in, &length);
  if (!in.int32(0, &fd) || !in.int32(4, &descriptor) || data == nullptr || length == 0) return answer(env, kBadArgument);
  return answer(env, static_cast<double>(sendMessage(fd, data, length, &descriptor, 1, MSG_DONTWAIT)));
}

// pollDescriptors(entries: Int32Array [fd, events, happened]…, timeout ms) -> how many are ready.
// Blocks; signals do not end it.
napi_value pollDescriptors(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  void* data;
  size_t length;
  int32_t timeout;
  napi_typedarray_type type;
  if (napi_get_typedarray_info(env, in.values[0], &type, &length, &data, nullptr, nullptr) != napi_ok || type != napi_int32_array ||
      length % 3 != 0 || !in.int32(1, &timeout) || timeout < 0) {
    return answer(env, kBadArgument);
  }
  auto* entries = static_cast<int32_t*>(data);
  const size_t count = length / 3;
  pollfd one;
  pollfd* list = count == 1 ? &one : new pollfd[count + 1];
  for (size_t i = 0; i < count; i++) list[i] = {entries[3 * i], static_cast<short>(entries[3 * i + 1]), 0};
  const int64_t end = timeout == 0 ? 0 : milliseconds() + timeout;
  int ready, failure = 0;
  while ((ready = poll(list, count, timeout)) < 0) {
    failure = errno;
    if (failure != EINTR) break;
    timeout = static_cast<int>(std::max<int64_t>(0, end - milliseconds()));
  }
  for (size_t i = 0; i < count; i++) entries[3 * i + 2] = list[i].revents;
  if (list != &one) delete[] list;
  return answer(env, ready >= 0 ? ready : -failure);
}

}  // namespace

void exportChannel(Exports& out) {
  out.add("channelRead", channelRead);
  out.add("channelWrite", channelWrite);
  out.add("channelWriteWith", channelWriteWith);
  out.add("pollDescriptors", pollDescriptors);
}

}  // namespace multiprocess
