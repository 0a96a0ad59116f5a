// memfd and named blocks, and their mappings as external ArrayBuffers.
#include "mapping.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>

#include "arguments.h"
#include "exports.h"
#include "status.h"

namespace multiprocess {

struct Mapping {
  char* base;
  size_t size;
  int pins;        // of the bytes
  bool owned;      // the ArrayBuffer still holds its pin
  bool finalized;  // the ArrayBuffer's finalizer has run
};

namespace {

// Never destroyed: waiter threads may look here while the process ends.
struct Registry {
  std::mutex lock;
  std::map<const char*, Mapping*> byBase;
  std::atomic<unsigned> generation{1};  // grows when a mapping goes; invalidates the caches below
};
Registry& registry() {
  static auto* instance = new Registry();
  return *instance;
}

struct Recent {
  unsigned generation = 0;
  const char* base = nullptr;
  const char* end = nullptr;
};
thread_local Recent recent;

// Lock held. The open mapping that holds the address, or null.
Mapping* find(Registry& all, const char* address) {
  auto after = all.byBase.upper_bound(address);
  if (after == all.byBase.begin()) return nullptr;
  Mapping* mapping = std::prev(after)->second;
  return mapping->owned && address < mapping->base + mapping->size ? mapping : nullptr;
}

// Lock held.
void settle(Registry& all, Mapping* mapping) {
  if (mapping->pins == 0 && mapping->base != nullptr) {
    all.byBase.erase(mapping->base);
    munmap(mapping->base, mapping->size);
    mapping->base = nullptr;
  }
  if (mapping->pins == 0 && mapping->finalized) delete mapping;
}

// Lock held. Drops the ArrayBuffer's pin, once.
void disown(Registry& all, Mapping* mapping) {
  if (!mapping->owned) return;
  mapping->owned = false;
  all.generation.fetch_add(1, std::memory_order_release);
  mapping->pins--;
}

// Runs when the buffer was collected or detached, and at the end of its environment. Calls nothing
// of Node's.
void finalize(napi_env, void*, void* data) {
  Registry& all = registry();
  std::lock_guard<std::mutex> guard(all.lock);
  auto* mapping = static_cast<Mapping*>(data);
  mapping->finalized = true;
  disown(all, mapping);
  settle(all, mapping);
}

int closeKeeping(int fd, int error) {
  close(fd);
  return -error;
}

// createMemory(name, size) -> fd
napi_value createMemory(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  std::string name;
  double size;
  if (!in.text(0, &name) || !in.number(1, &size)) return answer(env, kBadArgument);
  int fd = memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return answer(env, -errno);
  if (ftruncate(fd, static_cast<off_t>(size)) != 0) return answer(env, closeKeeping(fd, errno));
  // No process that shares the block can shrink it under the others, which would be SIGBUS for
  // them.
  fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK);
  return answer(env, in.environment->estate.keep(fd));
}

// 0 or an errno.
int giveSize(int fd, double size) {
  struct statvfs room;
  // A block larger than what /dev/shm has left could be made, but touching its pages would be
  // SIGBUS.
  if (fstatvfs(fd, &room) == 0 && room.f_blocks != 0 && size > static_cast<double>(room.f_bavail) * room.f_frsize) return ENOSPC;
  return ftruncate(fd, static_cast<off_t>(size)) == 0 ? 0 : errno;
}

// openSharedMemory(path, create, exclusive, size, mode) -> fd. size < 0: leave as it is.
napi_value openSharedMemory(napi_env env, napi_callback_info info) {
  Arguments<5> in(env, info);
  std::string path;
  bool create, exclusive;
  double size;
  int32_t mode;
  if (!in.text(0, &path) || !in.boolean(1, &create) || !in.boolean(2, &exclusive) || !in.number(3, &size) || !in.int32(4, &mode)) {
    return answer(env, kBadArgument);
  }
  // What shm_open does, without tying the binary to the libc that has it.
  int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0) | (exclusive ? O_EXCL : 0);
  int fd = open(path.c_str(), flags, static_cast<mode_t>(mode));
  if (fd < 0) return answer(env, -errno);
  if (size < 0) return answer(env, in.environment->estate.keep(fd));
  const int failure = giveSize(fd, size);
  if (failure == 0) return answer(env, in.environment->estate.keep(fd));
  if (exclusive) unlink(path.c_str());
  return answer(env, closeKeeping(fd, failure));
}

// createSharedMemory(directory, size, mode) -> fd of a file that has no name yet; -EOPNOTSUPP where
// the file system knows none.
napi_value createSharedMemory(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  std::string directory;
  double size;
  int32_t mode;
  if (!in.text(0, &directory) || !in.number(1, &size) || !in.int32(2, &mode)) return answer(env, kBadArgument);
  int fd = open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, static_cast<mode_t>(mode));
  // A kernel or file system that does not know the flag takes it for O_DIRECTORY.
  if (fd < 0) return answer(env, errno == EISDIR ? -EOPNOTSUPP : -errno);
  const int failure = giveSize(fd, size);
  if (failure != 0) return answer(env, closeKeeping(fd, failure));
  return answer(env, in.environment->estate.keep(fd));
}

// nameSharedMemory(fd, path): gives a file of createSharedMemory its name; -EEXIST when the name is
// taken.
napi_value nameSharedMemory(napi_env env, napi_callback_info info) {
  Arguments<2> in(env, info);
  int32_t fd;
  std::string path;
  if (!in.int32(0, &fd) || !in.text(1, &path)) return answer(env, kBadArgument);
  const std::string open = "/proc/self/fd/" + std::to_string(fd);
  return answer(env, linkat(AT_FDCWD, open.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) == 0 ? 0 : -errno);
}

// unlinkSharedMemory(path)
napi_value unlinkSharedMemory(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  std::string path;
  if (!in.text(0, &path)) return answer(env, kBadArgument);
  return answer(env, unlink(path.c_str()) == 0 ? 0 : -errno);
}

// descriptorSize(fd) -> bytes
napi_value descriptorSize(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  int32_t fd;
  struct stat about;
  if (!in.int32(0, &fd)) return answer(env, kBadArgument);
  if (fstat(fd, &about) != 0) return answer(env, -errno);
  return answer(env, static_cast<double>(about.st_size));
}

// releasePages(fd, offset, length)
napi_value releasePages(napi_env env, napi_callback_info info) {
  Arguments<3> in(env, info);
  int32_t fd;
  double offset, length;
  if (!in.int32(0, &fd) || !in.number(1, &offset) || !in.number(2, &length)) return answer(env, kBadArgument);
  int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  return answer(env, fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(length)) == 0 ? 0 : -errno);
}

// mapMemory(fd, size, populate, offset, copyOnWrite) -> ArrayBuffer
napi_value mapMemory(napi_env env, napi_callback_info info) {
  Arguments<5> in(env, info);
  int32_t fd;
  double size, offset;
  bool populate, copyOnWrite;
  struct stat about;
  if (!in.int32(0, &fd) || !in.number(1, &size) || !in.boolean(2, &populate) || !in.number(3, &offset) ||
      !in.boolean(4, &copyOnWrite) || size < 1 || offset < 0) {
    return answer(env, kBadArgument);
  }
  if (fstat(fd, &about) != 0) return answer(env, -errno);
  if (static_cast<double>(about.st_size) < offset + size) return answer(env, kBeyondEnd);
  const auto bytes = static_cast<size_t>(size);
  // Of a private mapping only pages that are written take memory, so none is reserved.
  const int flags = (copyOnWrite ? MAP_PRIVATE | MAP_NORESERVE : MAP_SHARED) | (populate ? MAP_POPULATE : 0);
  void* base = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, flags, fd, static_cast<off_t>(offset));
  if (base == MAP_FAILED) return answer(env, -errno);

  auto* mapping = new Mapping{static_cast<char*>(base), bytes, 1, true, false};
  Registry& all = registry();
  {
    std::lock_guard<std::mutex> guard(all.lock);
    all.byBase.emplace(mapping->base, mapping);
  }
  napi_value buffer;
  napi_status status = napi_create_external_arraybuffer(env, base, bytes, finalize, mapping, &buffer);
  if (status == napi_ok) return buffer;
  if (status == napi_no_external_buffers_allowed) {
    finalize(env, base, mapping);
    return answer(env, kNoExternalBuffers);
  }
  // The facade has checked the size against this Node's limit. On other failures Node has run the
  // finalizer.
  napi_value error;
  bool pending = false;
  if (napi_is_exception_pending(env, &pending) == napi_ok && pending) napi_get_and_clear_last_exception(env, &error);
  return answer(env, kTooLarge);
}

// Leaves the buffer and its views with length 0. napi_detach_arraybuffer aborts when somebody has
// called markAsUntransferable on the buffer (Node 24 and later lock it then), so
// ArrayBuffer.prototype.transfer, which throws, is taken where it exists (Node 22 and later).
bool detach(napi_env env, napi_value buffer) {
  napi_value transfer, length, ignored;
  napi_valuetype type = napi_undefined;
  bool done = false;
  if (napi_get_named_property(env, buffer, "transfer", &transfer) == napi_ok) napi_typeof(env, transfer, &type);
  if (type == napi_function) {
    napi_create_int32(env, 0, &length);
    if (napi_call_function(env, buffer, transfer, 1, &length, &ignored) == napi_pending_exception) {
      napi_get_and_clear_last_exception(env, &ignored);
    }
  } else {
    napi_detach_arraybuffer(env, buffer);
  }
  return napi_is_detached_arraybuffer(env, buffer, &done) == napi_ok && done;
}

// unmapMemory(buffer)
napi_value unmapMemory(napi_env env, napi_callback_info info) {
  Arguments<1> in(env, info);
  void* data = nullptr;
  size_t length = 0;
  if (napi_get_arraybuffer_info(env, in.values[0], &data, &length) != napi_ok) return answer(env, kNotMapped);
  Registry& all = registry();
  Mapping* mapping;
  {
    std::lock_guard<std::mutex> guard(all.lock);
    mapping = find(all, static_cast<const char*>(data));
    if (mapping == nullptr || mapping->base != data || mapping->size != length) return answer(env, kNotMapped);
    mapping->pins++;  // detaching may run the finalizer
  }
  const bool detached = detach(env, in.values[0]);
  std::lock_guard<std::mutex> guard(all.lock);
  mapping->pins--;
  if (detached) disown(all, mapping);
  settle(all, mapping);
  return answer(env, detached ? 0 : static_cast<int>(kNotDetachable));
}

}  // namespace

bool isMapped(const void* data, size_t bytes) {
  Registry& all = registry();
  const auto* address = static_cast<const char*>(data);
  const unsigned now = all.generation.load(std::memory_order_acquire);
  if (recent.generation == now && address >= recent.base && address + bytes <= recent.end) return true;
  std::lock_guard<std::mutex> guard(all.lock);
  Mapping* mapping = find(all, address);
  if (mapping == nullptr || address + bytes > mapping->base + mapping->size) return false;
  recent = {all.generation.load(std::memory_order_relaxed), mapping->base, mapping->base + mapping->size};
  return true;
}

Mapping* pinMapping(const void* address) {
  Registry& all = registry();
  std::lock_guard<std::mutex> guard(all.lock);
  Mapping* mapping = find(all, static_cast<const char*>(address));
  if (mapping != nullptr) mapping->pins++;
  return mapping;
}

void unpinMapping(Mapping* mapping) {
  Registry& all = registry();
  std::lock_guard<std::mutex> guard(all.lock);
  mapping->pins--;
  settle(all, mapping);
}

void exportMapping(Exports& out) {
  out.add("createMemory", createMemory);
  out.add("openSharedMemory", openSharedMemory);
  out.add("createSharedMemory", createSharedMemory);
  out.add("nameSharedMemory", nameSharedMemory);
  out.add("unlinkSharedMemory", unlinkSharedMemory);
  out.add("descriptorSize", descriptorSize);
  out.add("releasePages", releasePages);
  out.add("mapMemory", mapMemory);
  out.add("unmapMemory", unmapMemory);
}

}  // namespace multiprocess
