// What an environment leaves behind when no JavaScript of it runs any more to give it back: a
// worker thread that is terminated runs no exit handler, no finalizer of the program and no
// `finally`, and its process lives on.
//
// Invariants
// - Only of worker threads: the kernel closes what the main thread had, with the process.
// - A descriptor is here from the call that gave it to JavaScript until closeDescriptor. It is
//   closed only if it is still the file that it was: who closed it in another way may have let the
//   number pass to somebody else.
// - A child is killed and reaped by its pidfd, never by its number. Its event loop, which would
//   have reaped it, is gone.
// - Touched by its own thread only.
#pragma once

#include <sys/types.h>

#include <string>
#include <unordered_map>

namespace multiprocess {

class Estate {
 public:
  Estate();

  // Passes `fd` through. Takes it down, unless it is a refusal.
  int keep(int fd);
  void drop(int fd);

  // A file, or a folder with what is in it.
  void keepPath(const std::string& path);
  void dropPath(const std::string& path);

  // A child of this process, as long as nobody has reaped it. `ends`: it is not to live on.
  void keepChild(pid_t pid, bool ends);
  void dropChild(pid_t pid);

  // Closes, removes and ends all of it.
  void settle();

 private:
  // Which file it is.
  struct Identity {
    dev_t device;
    ino_t inode;
  };

  struct Child {
    int pidfd;
    bool ends;
  };

  const bool wanted_;
  std::unordered_map<int, Identity> descriptors_;
  std::unordered_map<std::string, Identity> paths_;
  std::unordered_map<pid_t, Child> children_;
};

}  // namespace multiprocess
